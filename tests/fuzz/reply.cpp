// What the library and the command make of a daemon's bytes: a real connection over a UNIX socket, whose
// other side says what the fuzzer wants. The first byte chooses what is asked, the second with how many of
// the frames' descriptors the first bytes come.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/rights.h"
#include "cli/data.h"
#include "cli/output/printable.h"
#include "cli/read.h"
#include "client/dialogue.h"
#include "input.h"
#include "quiet.h"

namespace sockswap::fuzz {
namespace {

class Listener {
 public:
  Listener() : path_((folder_.path() / "control.sock").native()), socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    require(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                ::listen(socket_.get(), 1) == 0,
            "a listening socket");
  }
  const std::string& path() const { return path_; }
  Fd accept() const { return Fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

 private:
  ScratchFolder folder_;
  std::string path_;
  Fd socket_;
};

int lowest_free_descriptor() {
  const Fd probe(::dup(0));
  return probe.get();
}

void check(const client::Event& event) {
  require(event.kind == client::Event::Kind::hand_over ? event.ends.size() == 1 && !event.ends[0].fd
                                                       : event.ends.size() <= wire::Limits{}.descriptors,
          "an event's ends");
  for (const auto& end : event.ends) {
    require(end.family == AF_INET || end.family == AF_INET6, "an end's family");
    require(event.kind == client::Event::Kind::hand_over || end.fd, "each end that arrives is a descriptor");
  }
}

void check(const wire::Reply& reply) {
  static_cast<void>(cli::read(reply.hosts()));
  static_cast<void>(cli::read(reply.connections()));
  static_cast<void>(cli::read(reply.moves()));
  const std::string shown = cli::printable(reply.failed().error().message());
  require(shown.find_first_of(std::string_view("\0\n\r\t\x1b\x7f", 6)) == std::string::npos,
          "what is printed drives no terminal");
}

void converse(const Listener& listener, Input input) {
  auto dialogue = must(client::Dialogue::open(listener.path()));
  const Fd daemon = listener.accept();
  const std::uint8_t question = input.byte();
  const std::uint8_t descriptors = input.byte() % 4;
  const Fd end(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::vector<int> fds(descriptors, end.get());
  const ByteView bytes = input.all();
  if (!bytes.empty()) must(send_some(daemon.get(), bytes, fds));
  ::shutdown(daemon.get(), SHUT_WR);

  constexpr wire::Reply::BodyCase kinds[] = {wire::Reply::kDone,  wire::Reply::kMoved,
                                             wire::Reply::kHosts, wire::Reply::kConnections,
                                             wire::Reply::kMoves, wire::Reply::kParked};
  if (question % 8 < std::size(kinds)) {
    wire::Request request = dialogue.request();
    if (kinds[question % 8] == wire::Reply::kMoved) request.mutable_move();
    if (const auto answer = dialogue.ask(request, kinds[question % 8], {})) {
      require(answer->reply.body_case() == kinds[question % 8],
              "an answer is of the kind that was asked for");
      check(answer->reply);
    }
  }
  // Each of these is an event, a refused event, or the end.
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    const auto event = dialogue.next_event(client::at_once);
    if (event && *event) check(**event);
    if (event && !*event) break;
  }
}

}  // namespace
}  // namespace sockswap::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap::fuzz;
  static const Listener listener;
  const int before = lowest_free_descriptor();
  converse(listener, Input(data, size));
  require(lowest_free_descriptor() == before, "no descriptor is left behind");
  return 0;
}
