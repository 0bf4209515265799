// The moves of this host in all three roles: makes their machines and brings messages to them.
#pragma once

#include <map>
#include <memory>

#include "daemon/destination_move.h"
#include "daemon/origin_move.h"
#include "daemon/peer_move.h"

namespace sockswap::daemon {

class Moves {
 public:
  explicit Moves(Context& context) : context_(context) {}

  // Begins a move from here, or refuses it; the listener hears of the outcome later, never from inside.
  Result<move::MoveId> begin(MoveOrder order, OriginMove::Listener listener);
  void cancel(const move::MoveId& id, Error error);

  // A message of a move, from an authenticated host.
  void on_message(Incoming incoming);
  void on_host_lost(const std::string& host, const Error& error);
  void on_receiver_gone(const std::string& receiver);

 private:
  template <class Role>
  using Table = std::map<move::MoveId, std::unique_ptr<Role>>;
  template <class Role>
  void add(Table<Role>& table, const move::MoveId& id, std::unique_ptr<Role> role);
  template <class Role>
  static bool bring(Table<Role>& table, const move::MoveId& id, Incoming& incoming);
  void answer_stranger(const move::MoveId& id, const Incoming& incoming);

  Context& context_;
  Table<OriginMove> origins_;
  Table<DestinationMove> destinations_;
  Table<PeerMove> peers_;
};

}  // namespace sockswap::daemon
