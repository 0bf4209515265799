// One move that brings ends to this host.
#pragma once

#include "daemon/destination_ends.h"
#include "daemon/running.h"
#include "move/destination.h"

namespace sockswap::daemon {

class DestinationMove : public Running<move::Destination, DestinationMove> {
 public:
  DestinationMove(Context& context, move::MoveId id, const std::string& origin, const wire::Offer& offer);

  // One that a daemon before this one had begun, from its records.
  DestinationMove(Context& context, move::MoveId id, move::Destination machine, const move::Records& records);

  void start() { run(machine_.start()); }
  void on_host_lost(const std::string& host) { run(machine_.on_host_lost(host)); }
  void on_receiver_gone(const std::string& receiver);
  void on_receiver_added(const std::string& receiver);

 private:
  friend class Running<move::Destination, DestinationMove>;
  using Running::perform;
  void perform(move::action::ReserveEnds&);
  void perform(move::action::TakeState&);
  void perform(move::action::RebuildEnds&);
  void perform(move::action::LetGo& let_go);
  void perform(move::action::DropEnds&);

  void complete(move::JournalRecord& record);
  void restore_state(const std::string& state);
  std::shared_ptr<Receiver> receiver_again() const;
  void let_go(move::LostEnds lost);
  void wait_for_receiver(move::LostEnds lost);
  Error receiver_gone() const;
  bool has_been_handed_over(const Arrived& arrived) const;
  void hand_over(Arrived arrived, move::LostEnds& lost);
  void lose_all(move::LostEnds& lost) const;
  void finish_live(const move::LostEnds& lost);
  bool take_state();
  void fail(Error error);

  move::MoveId id_;
  DestinationEnds ends_;
  std::shared_ptr<Receiver> receiver_;  // who was registered when the move was offered, and nobody else
  Bytes state_;                         // the application's
  bool state_written_ = false;          // into the journal, ahead of Ready
  pid_t receiver_pid_ = 0;
  bool restored_ = false;                  // by a daemon that has to find the receiver again
  std::optional<move::LostEnds> waiting_;  // let go as soon as the receiver is back, these excepted
  asio::steady_timer patience_;            // with a receiver that doesn't come back
};

}  // namespace sockswap::daemon
