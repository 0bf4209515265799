// One move that re-points ends which stay on this host.
#pragma once

#include "daemon/peer_ends.h"
#include "daemon/running.h"

namespace sockswap::daemon {

class PeerMove : public Running<move::Peer, PeerMove> {
 public:
  PeerMove(Context& context, move::MoveId id, std::string origin, const wire::Find& find);

  // One that a daemon before this one had begun.
  PeerMove(Context& context, move::MoveId id, move::Peer machine);

  void start() { run(machine_.start()); }
  void on_host_lost(const std::string& host) { run(machine_.on_host_lost(host)); }

 private:
  friend class Running<move::Peer, PeerMove>;
  using Running::perform;
  void perform(move::action::FindEnds&);
  void perform(move::action::HoldEnds&);
  void perform(move::action::SwapEnds&);
  void perform(move::action::ResumeHolders&);
  void perform(move::action::ThawEnds&);
  void perform(move::action::Finish& finish);

  void reach_destination();
  void fail(Error error);

  move::MoveId id_;
  ConnectionLocks::Lock lock_;
  PeerEnds ends_;
};

}  // namespace sockswap::daemon
