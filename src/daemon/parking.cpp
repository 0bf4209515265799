#include "daemon/parking.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/log.h"
#include "daemon/program.h"
#include "daemon/quotas.h"
#include "wire/errors.h"

namespace sockswap::daemon {
namespace {

constexpr std::size_t kSecretLength = 32;  // hex digits

std::string random_hex() {
  move::MoveId bits;
  if (::getrandom(bits.octets.data(), bits.octets.size(), 0) != static_cast<ssize_t>(bits.octets.size()))
    std::abort();
  return bits.text();
}

tl::unexpected<Error> no_such_ticket() {
  return failure(ErrorCode::not_found, "nothing is parked under that ticket",
                 "a ticket serves once, and as long as the keeper of the host that gave it out runs");
}

}  // namespace

// Takes the ends of one ticket for the program that showed it.
struct Parking::Waiting : Receiver {
  Waiting(Parking& in_parking, std::string in_name, std::string at_host, std::shared_ptr<Program> for_program,
          std::uint64_t for_request)
      : parking(in_parking),
        name(std::move(in_name)),
        host(std::move(at_host)),
        program_id(for_program.get()),
        program(for_program),
        user(for_program->owner()),
        process(for_program->pid()),
        request(for_request) {}

  Result<> take(Arrived arrived) override {
    parking.forget(name);
    auto living = program.lock();
    if (!living) return failure(ErrorCode::receiver_gone, "the program that showed the ticket has ended");
    return living->take_for(request, std::move(arrived));
  }
  uid_t owner() const override { return user; }
  pid_t pid() const override { return process; }
  bool has_gone() const override {
    const auto living = program.lock();
    return !living || living->has_gone();
  }
  void not_coming(const Error& error) override { parking.fail(name, error); }

  Parking& parking;
  std::string name;
  std::string host;
  const Program* program_id;
  std::weak_ptr<Program> program;
  uid_t user;
  pid_t process;
  std::uint64_t request;
};

Result<> Parking::check_quota(uid_t owner, std::size_t ends, std::size_t state_bytes) const {
  if (owner == 0) return {};
  for (const auto& [secret, parked] : parked_) {
    if (parked.owner != owner) continue;
    ends += parked.ends;
    state_bytes += parked.state_bytes;
  }
  if (ends <= quota::parked_ends && state_bytes <= quota::parked_state) return {};
  return failure(
      ErrorCode::no_resources,
      fmt::format("user {} would have {} ends and {} bytes of state parked", owner, ends, state_bytes),
      fmt::format("{} ends and {} bytes are possible: fetch some first", quota::parked_ends,
                  quota::parked_state));
}

Result<> Parking::restore() {
  SOCKSWAP_TRY(const keep::Inventory kept, context_.keeper.inventory());
  for (const keep::Stored& stored : kept.stored)
    parked_.emplace(stored.key, Parked{stored.owner, stored.ends, stored.state_bytes, false});
  return {};
}

Result<std::string> Parking::park(uid_t owner, std::vector<ForeignFd> fds, Bytes state) {
  if (fds.empty()) return failure(ErrorCode::usage, "nothing to park");
  SOCKSWAP_CHECK(check_quota(owner, fds.size(), state.size()));
  const std::string secret = random_hex();
  std::vector<int> numbers;
  for (const ForeignFd& fd : fds) numbers.push_back(fd.get());
  SOCKSWAP_CHECK(context_.keeper.store(secret, owner, numbers, state));
  parked_.emplace(secret, Parked{owner, fds.size(), state.size(), false});
  return fmt::format("{}/{}", context_.self, secret);
}

// To a program here: the ticket has served then.
Result<Arrived> Parking::take(const std::string& secret, uid_t owner) {
  SOCKSWAP_TRY(keep::Client::Taken taken, context_.keeper.take(secret, owner));
  parked_.erase(secret);
  Arrived arrived{.id = {}, .from = context_.self, .ends = {}, .state = std::move(taken.state)};
  for (Fd& fd : taken.fds) {
    const auto address = [&](auto query) {
      sockaddr_storage raw{};
      socklen_t size = sizeof raw;
      if (query(fd.get(), reinterpret_cast<sockaddr*>(&raw), &size) != 0) return Endpoint{};
      return Endpoint::from_sockaddr(raw).value_or(Endpoint{});
    };
    const Endpoint local = address(::getsockname);
    const Endpoint remote = address(::getpeername);
    arrived.ends.push_back({ForeignFd(std::move(fd)), {local, remote}, local});
  }
  return arrived;
}

Result<> Parking::bring(std::shared_ptr<Program> program, std::uint64_t request, const std::string& ticket) {
  const std::size_t slash = ticket.find('/');
  if (slash == std::string::npos)
    return failure(ErrorCode::usage, "that is not a ticket", "sockswap_park() gave it out as HOST/SECRET");
  const std::string host = ticket.substr(0, slash);
  const std::string secret = ticket.substr(slash + 1);
  if (secret.size() != kSecretLength) return no_such_ticket();
  if (context_.hosts.find(host) == nullptr)
    return failure(ErrorCode::unknown_host,
                   fmt::format("the ticket is of '{}', which the cluster doesn't have", host));
  if (host == context_.self) {  // it has come back, or never left
    const auto found = parked_.find(secret);
    if (found == parked_.end()) return no_such_ticket();
    if (found->second.fetching)
      return failure(ErrorCode::busy, "that ticket is being fetched by another host",
                     "wait for that move to end (`sockswap moves`) and try again");
    SOCKSWAP_TRY(Arrived arrived, take(secret, program->owner()));
    auto taken = program->take_for(request, std::move(arrived));
    SOCKSWAP_CHECK(context_.keeper.discard(secret));
    return taken;
  }
  const std::string receiver = "ticket-" + random_hex();
  auto waiting = std::make_shared<Waiting>(*this, receiver, host, program, request);
  SOCKSWAP_CHECK(context_.receivers.add(receiver, waiting));
  waiting_.emplace(receiver, std::move(waiting));
  wire::Message message;
  message.mutable_fetch()->set_ticket(secret);
  message.mutable_fetch()->set_receiver(receiver);
  return context_.mesh.send(host, message);
}

void Parking::on_fetch(const std::string& host, const wire::Fetch& fetch) {
  const auto refuse = [this, host, receiver = fetch.receiver()](const Error& error) {
    wire::Message message;
    wire::to_message(error, *message.mutable_fetch_refused()->mutable_error());
    message.mutable_fetch_refused()->set_receiver(receiver);
    static_cast<void>(context_.mesh.send(host, message));  // none can be too large
  };
  const auto parked = parked_.find(fetch.ticket());
  if (parked == parked_.end()) return refuse(no_such_ticket().value());
  // Copies go into the move; the parked ones stay until it has succeeded, to be fetched again if not.
  auto taken = context_.keeper.take(fetch.ticket(), parked->second.owner);
  if (!taken) return refuse(taken.error());
  MoveOrder order{.fds = {}, .state = std::move(taken->state), .to = host, .receiver = fetch.receiver()};
  for (Fd& fd : taken->fds) order.fds.emplace_back(std::move(fd));
  auto begun = moves_.begin(
      std::move(order),
      {.step = nullptr, .done = [this, refuse, ticket = fetch.ticket()](Result<MoveReport> outcome) {
         if (outcome || outcome.error().code == ErrorCode::lost) {
           parked_.erase(ticket);
           if (auto discarded = context_.keeper.discard(ticket); !discarded)
             log::error("a ticket: {}", discarded.error().text());
         } else if (outcome.error().code != ErrorCode::in_doubt) {  // then the ends may still come
           parked_.at(ticket).fetching = false;
           refuse(outcome.error());
         }
       }});
  if (!begun) return refuse(begun.error());
  parked->second.fetching = true;
}

std::shared_ptr<Parking::Waiting> Parking::forget(const std::string& receiver) {
  const auto found = waiting_.extract(receiver);
  if (found.empty()) return nullptr;
  context_.receivers.remove(receiver, found.mapped().get());
  return found.mapped();
}

void Parking::fail(const std::string& receiver, const Error& error) {
  const auto waiting = forget(receiver);
  if (!waiting) return;
  if (auto program = waiting->program.lock()) program->fail(waiting->request, error);
}

void Parking::on_fetch_refused(const std::string& host, const wire::FetchRefused& refused) {
  const auto waiting = waiting_.find(refused.receiver());
  if (waiting == waiting_.end() || waiting->second->host != host) return;
  fail(refused.receiver(), wire::from_message(refused.error()));
}

void Parking::on_host_lost(const std::string& host, const Error& error) {
  std::vector<std::string> lost;
  // A move that has begun holds its receiver, and says what became of it: it may be committed.
  for (const auto& [receiver, waiting] : waiting_)
    if (waiting->host == host && waiting.use_count() == 1) lost.push_back(receiver);
  for (const std::string& receiver : lost) fail(receiver, error);
}

void Parking::on_program_gone(const Program* program) {
  std::vector<std::string> gone;
  for (const auto& [receiver, waiting] : waiting_)
    if (waiting->program_id == program) gone.push_back(receiver);
  for (const std::string& receiver : gone) forget(receiver);
}

}  // namespace sockswap::daemon
