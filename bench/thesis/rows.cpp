#include "rows.h"

namespace sockswap::thesis {

const std::vector<Row>& rows() {
  using Moves = Course::Moves;
  using Relay = Course::Relay;
  static const std::vector<Row> all{
      {"plain", "plain TCP"},
      {"relay-user", "relay at home: socat", Kernel::shared, {.relay = Relay::user_space}},
      {"relay-kernel", "relay at home: nftables NAT", Kernel::shared, {.relay = Relay::kernel}},
      {"resume", "reconnect and resume: curl", Kernel::shared, {}, true},
      {"swap", "socket swap, receiver", Kernel::shared, {.moves = Moves::receiver}},
      {"swap-sender", "socket swap, sender", Kernel::shared, {.moves = Moves::sender}},
      {"plain-uml", "UML: plain TCP", Kernel::uml},
      {"swap-uml", "UML: socket swap, receiver", Kernel::uml, {.moves = Moves::receiver}},
      {"swap-uml-sender", "UML: socket swap, sender", Kernel::uml, {.moves = Moves::sender}},
      {"plain-call", "UML with the call: plain TCP", Kernel::call},
      {"swap-call", "UML with the call: receiver", Kernel::call, {.moves = Moves::receiver}},
      {"swap-call-sender", "UML with the call: sender", Kernel::call, {.moves = Moves::sender}},
  };
  return all;
}

std::string Row::plain() const {
  switch (kernel) {
    case Kernel::uml: return "plain-uml";
    case Kernel::call: return "plain-call";
    default: return "plain";
  }
}

bool can_measure(const Row& row, const Programs& programs) {
  return row.kernel != Kernel::call || std::filesystem::exists(programs.call_kernel);
}

Result<Measured> measure(const Row& row, Stage& stage, const Payload& payload) {
  return row.resumes ? resume(stage, payload) : transfer(stage, payload, row.course);
}

const std::vector<OldFigure>& old_figures() {
  static const std::vector<OldFigure> all{
      {"MOSIX, by its home node", 67.918, 47.12, "relay-user"},
      {"Linux TCP", 35.658, 89.74, "plain"},
      {"User Mode Linux TCP", 51.946, 61.60, "plain-uml"},
      {"socket swap in User Mode Linux", 52.786, 60.62, "swap-uml"},
  };
  return all;
}

}  // namespace sockswap::thesis
