// The moves of this host in all three roles: makes their machines and brings messages to them.
#pragma once

#include <map>
#include <memory>

#include "daemon/destination_move.h"
#include "daemon/origin_move.h"
#include "daemon/peer_move.h"
#include "daemon/recent.h"

namespace sockswap::daemon {

class Moves {
 public:
  explicit Moves(Context& context) : context_(context) {}

  // Goes on with what a daemon before this one had begun, and undoes what it had promised nobody.
  Result<> restore(const move::Replay& replay);

  // Begins a move from here, or refuses it; the listener hears of the outcome later, never from inside.
  Result<move::MoveId> begin(MoveOrder order, OriginMove::Listener listener);
  void cancel(const move::MoveId& id, Error error);

  // An operator's word for the parts of this host's that have been in doubt for a while. not_found if there
  // is none.
  Result<> settle(const move::MoveId& id, bool moved);

  bool empty() const { return origins_.empty() && destinations_.empty() && peers_.empty(); }

  // A message of a move, from an authenticated host.
  void on_message(Incoming incoming);
  void on_host_lost(const std::string& host, const Error& error);
  void on_receiver_gone(const std::string& receiver);
  void on_receiver_added(const std::string& receiver);

 private:
  template <class Role>
  using Table = std::map<move::MoveId, std::unique_ptr<Role>>;
  template <class Role>
  Role& add(Table<Role>& table, const move::MoveId& id, std::unique_ptr<Role> role);
  Result<> undo_unknown(const move::Replay& replay);
  template <class Role>
  void end(Table<Role>& table, const move::MoveId& id);
  template <class Role>
  static void bring(Table<Role>& table, const move::MoveId& id, Incoming& incoming);

  Context& context_;
  Table<OriginMove> origins_;
  Table<DestinationMove> destinations_;
  Table<PeerMove> peers_;
  // A message that comes late must not begin a part that is over.
  Recent<std::pair<move::MoveId, wire::Role>, 16384> over_;
  Recent<move::MoveId, 16384> dropped_;  // as their destination
};

}  // namespace sockswap::daemon
