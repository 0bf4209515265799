// One move that brings ends to this host.
#pragma once

#include "daemon/destination_ends.h"
#include "daemon/running.h"
#include "move/destination.h"

namespace sockswap::daemon {

class DestinationMove : public Running<move::Destination, DestinationMove> {
 public:
  DestinationMove(Context& context, move::MoveId id, std::string origin, const wire::Offer& offer);

  void start() { run(machine_.start()); }
  void on_host_lost(const std::string& host) { run(machine_.on_host_lost(host)); }
  void on_receiver_gone(const std::string& receiver);

 private:
  friend class Running<move::Destination, DestinationMove>;
  using Running::perform;
  void perform(move::action::ReserveEnds&);
  void perform(move::action::TakeState&);
  void perform(move::action::RebuildEnds&);
  void perform(move::action::LetGo& let_go);
  void perform(move::action::DropEnds&);

  void hand_over(Arrived arrived, move::LostEnds& lost);
  bool take_state();
  void fail(Error error);

  move::MoveId id_;
  wire::Offer offer_;
  DestinationEnds ends_;
  std::shared_ptr<Receiver> receiver_;  // who was registered when the move was offered, and nobody else
  Bytes state_;                         // the application's
};

}  // namespace sockswap::daemon
