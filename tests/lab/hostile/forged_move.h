// A move whose origin is played by hand, with a real socket: each message is what an honest origin would say,
// unless it is forged on its way.
#pragma once

#include <functional>
#include <optional>

#include "lab/hostile/mallory.h"
#include "move/id.h"
#include "socket/end.h"

namespace sockswap::test {

enum class Step { offer, find, hold, deliver, swap, forget };

class ForgedMove {
 public:
  struct Parties {
    std::string peer = "alpha", destination = "gamma", receiver = "test";
  };
  struct Refusal {
    wire::Role by = wire::NO_ROLE;
    std::uint32_t code = 0;
    std::string text;
  };

  // `moving`: an end of Mallory's host's whose other end is the peer's.
  ForgedMove(Mallory& mallory, const Fd& moving, Parties parties);
  ForgedMove(Mallory& mallory, const Fd& moving) : ForgedMove(mallory, moving, Parties()) {}

  // Somebody else's move, as far as its id is known.
  void go_by(const move::MoveId& id) { id_ = id; }

  // Each message passes here on its way; may be empty.
  std::function<void(wire::Message&, std::vector<Bytes>&)> forge;
  // Before each step.
  std::function<void(Step)> before = [](Step) {};

  // To its end, or until a party refuses: then everything is undone.
  std::optional<Refusal> run();

  // What an honest origin would say at that step, as far as it is known by now.
  Saying honest(Step step) const;
  wire::Message message() const;  // of this move, and empty
  const std::vector<Saying>& said() const { return said_; }

 private:
  void say(Saying saying);
  // Until that comes; or a refusal.
  std::optional<Refusal> await(const std::string& from, wire::Message::BodyCase what);
  std::optional<Refusal> prepare();
  void freeze();
  void undo();

  Mallory& mallory_;
  const Fd& moving_;
  Parties parties_;
  move::MoveId id_;
  FourTuple tuple_;  // as the moving end sees it
  wire::Accept accepted_;
  std::optional<socket::FrozenEnd> frozen_;
  socket::Position position_{};  // as frozen
  Bytes in_flight_;
  socket::Image image_;
  std::vector<Saying> said_;
};

}  // namespace sockswap::test
