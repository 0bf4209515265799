#include "keep/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/credentials.h"
#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::keep {
namespace {

using wire::keeper::Reply;
using wire::keeper::Request;

// A program that sits on the socket's path in the keeper's place would be handed everybody's connections.
Result<> check_owner(int fd, const std::filesystem::path& path) {
  SOCKSWAP_TRY(const ucred credentials, peer_credentials(fd));
  if (credentials.uid == ::geteuid()) return {};
  return failure(ErrorCode::not_permitted,
                 fmt::format("user {} listens on {}", credentials.uid, path.string()),
                 "only a keeper of this program's own user is trusted: remove the file");
}

Connection from_message(const wire::keeper::Connections::Connection& message, const FourTuple& tuple) {
  Connection connection{.tuple = tuple,
                        .state = static_cast<std::uint8_t>(message.state()),
                        .uid = message.uid(),
                        .receive_queue = message.receive_queue(),
                        .send_queue = message.send_queue(),
                        .has_md5_key = message.has_md5_key(),
                        .holders = {},
                        .not_pausable = message.not_pausable()};
  for (const auto& holder : message.holders())
    connection.holders.push_back({.pid = holder.pid(),
                                  .uid = holder.uid(),
                                  .command = holder.command(),
                                  .descriptors = {holder.descriptors().begin(), holder.descriptors().end()}});
  return connection;
}

}  // namespace

Result<Client> Client::connect(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return failure(ErrorCode::usage, fmt::format("{} is too long for a socket's path", path.string()));
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return system_failure(errno, "make a socket", ErrorCode::no_resources);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return system_failure(errno, "connect to the keeper at " + path.string(), ErrorCode::no_daemon);
  SOCKSWAP_CHECK(check_owner(socket.get(), path));
  SOCKSWAP_TRY(Channel channel, Channel::make(std::move(socket), patience_with_start));
  Client client(std::move(channel));
  SOCKSWAP_CHECK(client.greet());
  SOCKSWAP_CHECK(client.channel_->set_patience(patience));
  return client;
}

Result<> Client::greet() {
  Request request;
  request.mutable_hello()->set_version(protocol_version);
  SOCKSWAP_TRY(Answer answer, call(request, Reply::kWelcome));
  if (answer.reply.welcome().version() != protocol_version)
    return failure(ErrorCode::version_mismatch, "the running keeper is of another version",
                   "end it (SIGTERM) when no move is under way");
  if (answer.fds.size() != 1) return failure(ErrorCode::internal, "the keeper's welcome has no pipe");
  alive_ = std::move(answer.fds.front());
  life_ = answer.reply.welcome().life();
  return {};
}

tl::unexpected<Error> Client::broken(Error error) {
  channel_.reset();
  error.code = ErrorCode::no_daemon;
  error = std::move(error).while_doing("the keeper");
  if (const auto tell = std::exchange(on_broken, nullptr)) tell(error);
  return failure(std::move(error));
}

Result<Client::Answer> Client::call(const Request& request, Reply::BodyCase expected,
                                    std::span<const ByteView> attachments, std::span<const int> fds) {
  if (!channel_) return failure(ErrorCode::no_daemon, "the connection to the keeper is broken");
  request.SerializeToString(&encoded_);
  const auto sent = channel_->send(encoded_, attachments, fds);
  // A keeper that won't serve us says so before it closes: it may have closed already.
  auto incoming = channel_->receive(Wait::socket_timeout);
  if (!incoming) return broken(sent ? std::move(incoming).error() : sent.error());
  if (!*incoming) return broken({ErrorCode::timed_out, "it doesn't answer", {}, 0});
  if ((*incoming)->cut) return failure(no_room_for_descriptors());
  Answer answer{
      .reply = {}, .attachments = std::move((*incoming)->attachments), .fds = std::move((*incoming)->fds)};
  if (!answer.reply.ParseFromString((*incoming)->message))
    return broken({ErrorCode::internal, "its answer is none", {}, 0});
  if (answer.reply.body_case() == Reply::kFailed) return failure(wire::from_message(answer.reply.failed()));
  if (answer.reply.body_case() != expected)
    return broken({ErrorCode::internal, "it answers something else", {}, 0});
  return answer;
}

Result<> Client::done(const Request& request, std::span<const int> fds) {
  SOCKSWAP_CHECK(call(request, Reply::kDone, {}, fds));
  return {};
}

Result<std::vector<Connection>> Client::list(const Request& request) {
  SOCKSWAP_TRY(const Answer answer, call(request, Reply::kConnections));
  std::vector<Connection> connections;
  connections.reserve(static_cast<std::size_t>(answer.reply.connections().connections_size()));
  for (const auto& message : answer.reply.connections().connections()) {
    SOCKSWAP_TRY(const FourTuple tuple, wire::from_message(message.tuple()));
    connections.push_back(from_message(message, tuple));
  }
  return connections;
}

Result<std::vector<Connection>> Client::connections() {
  Request request;
  request.mutable_list_connections();
  return list(request);
}

Result<std::optional<Connection>> Client::connection(const FourTuple& tuple) {
  Request request;
  wire::to_message(tuple, *request.mutable_list_connections()->mutable_tuple());
  SOCKSWAP_TRY(std::vector<Connection> found, list(request));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<> Client::store(const std::string& key, uid_t owner, std::span<const int> fds, ByteView state) {
  Request request;
  request.mutable_store()->set_key(key);
  request.mutable_store()->set_owner(owner);
  SOCKSWAP_CHECK(call(request, Reply::kDone, std::span(&state, 1), fds));
  return {};
}

Result<Client::Taken> Client::take(const std::string& key, uid_t owner) {
  Request request;
  request.mutable_take()->set_key(key);
  request.mutable_take()->set_owner(owner);
  SOCKSWAP_TRY(Answer answer, call(request, Reply::kDone));
  if (answer.attachments.size() != 1) return failure(ErrorCode::internal, "the keeper gave no state");
  return Taken{std::move(answer.fds), std::move(answer.attachments.front())};
}

Result<> Client::discard(const std::string& key) {
  Request request;
  request.mutable_discard()->set_key(key);
  return done(request);
}

Result<std::string> Client::read_hosts() {
  Request request;
  request.mutable_read_hosts();
  SOCKSWAP_TRY(Answer answer, call(request, Reply::kHosts));
  return std::move(*answer.reply.mutable_hosts()->mutable_text());
}

Result<Inventory> Client::inventory() {
  Request request;
  request.mutable_list_kept();
  SOCKSWAP_TRY(const Answer answer, call(request, Reply::kKept));
  Inventory inventory;
  for (const auto& message : answer.reply.kept().moves()) {
    const auto id = move::MoveId::from_bytes(message.move_id());
    if (!id) return failure(ErrorCode::internal, "the keeper names a move that is none");
    KeptMove kept{
        .id = *id, .role = message.role(), .stage = static_cast<Stage>(message.stage()), .ends = {}};
    for (const auto& end : message.ends()) {
      SOCKSWAP_TRY(const FourTuple tuple, wire::from_message(end));
      kept.ends.push_back(tuple);
    }
    inventory.moves.push_back(std::move(kept));
  }
  for (const auto& stored : answer.reply.kept().stored())
    inventory.stored.push_back({.key = stored.key(),
                                .owner = stored.owner(),
                                .ends = stored.descriptors(),
                                .state_bytes = stored.bytes()});
  return inventory;
}

Result<> Client::goodbye() {
  Request request;
  request.mutable_goodbye();
  return done(request);
}

}  // namespace sockswap::keep
