#include "daemon/moves.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <asio/post.hpp>

#include "base/log.h"
#include "move/dispatch.h"

namespace sockswap::daemon {
namespace {

move::MoveId random_id() {
  move::MoveId id;
  // Can't fail or fall short for so few bytes (getrandom(2)).
  if (::getrandom(id.octets.data(), id.octets.size(), 0) != static_cast<ssize_t>(id.octets.size()))
    std::abort();
  return id;
}

// To everybody in it, a loop over a table whose entries may finish (later) meanwhile.
template <class Table, class Call>
void each(Table& table, Call call) {
  for (auto& [id, role] : table) call(*role);
}

}  // namespace

template <class Role>
Role& Moves::add(Table<Role>& table, const move::MoveId& id, std::unique_ptr<Role> role) {
  // Finished inside its own call, so erased after it.
  role->on_finished = [this, &table, id] { asio::post(context_.io, [this, &table, id] { end(table, id); }); };
  return *table.emplace(id, std::move(role)).first->second;
}

template <class Role>
void Moves::end(Table<Role>& table, const move::MoveId& id) {
  const auto ended = table.find(id);
  if (ended == table.end()) return;  // said once more for a message that came between
  if constexpr (std::is_same_v<Role, DestinationMove>) {
    over_.add({id, wire::DESTINATION});
    if (ended->second->machine().dropped()) dropped_.add(id);
  }
  if constexpr (std::is_same_v<Role, PeerMove>) over_.add({id, wire::PEER});
  table.erase(ended);
}

template <class Role>
void Moves::bring(Table<Role>& table, const move::MoveId& id, Incoming& incoming) {
  if (const auto found = table.find(id); found != table.end())
    found->second->on_message(incoming.host, incoming.message, std::move(incoming.attachments));
}

// What the keeper has of parts that are over or had promised nothing.
Result<> Moves::undo_unknown(const move::Replay& replay) {
  SOCKSWAP_TRY(const keep::Inventory kept, context_.keeper.inventory());
  for (const keep::KeptMove& left : kept.moves) {
    if (replay.open.contains({left.id, left.role})) continue;
    log::info("move {}: {} at the {}, and not in the journal: undone", left.id.text(), name(left.stage),
              move::name(left.role));
    switch (left.role) {
      case wire::ORIGIN: SOCKSWAP_CHECK(context_.keeper.thaw_moving(left.id)); break;
      case wire::DESTINATION:
        SOCKSWAP_CHECK(left.stage == keep::Stage::let_go ? context_.keeper.handed_over(left.id)
                                                         : context_.keeper.drop(left.id));
        break;
      case wire::PEER: SOCKSWAP_CHECK(PeerEnds(context_.keeper, left.id).thaw()); break;
      default: break;
    }
  }
  return {};
}

Result<> Moves::restore(const move::Replay& replay) {
  SOCKSWAP_CHECK(undo_unknown(replay));
  for (const move::MoveId& id : replay.dropped) dropped_.add(id);
  for (const auto& [key, records] : replay.open) {
    const auto& [id, role] = key;
    if (role == wire::ORIGIN) {
      if (auto machine = move::Origin::restore(records))
        add(origins_, id, OriginMove::restore(context_, *std::move(machine))).resume();
    } else if (role == wire::DESTINATION) {
      if (auto machine = move::Destination::restore(records))
        add(destinations_, id, std::make_unique<DestinationMove>(context_, id, *std::move(machine), records))
            .resume();
    } else if (auto machine = move::Peer::restore(context_.self, records)) {
      add(peers_, id, std::make_unique<PeerMove>(context_, id, *std::move(machine))).resume();
    }
  }
  return {};
}

Result<move::MoveId> Moves::begin(MoveOrder order, OriginMove::Listener listener) {
  const move::MoveId id = random_id();
  SOCKSWAP_TRY(auto prepared, OriginMove::prepare(context_, id, std::move(order), std::move(listener)));
  add(origins_, id, std::move(prepared)).start();
  return id;
}

void Moves::cancel(const move::MoveId& id, Error error) {
  if (const auto found = origins_.find(id); found != origins_.end()) found->second->cancel(std::move(error));
}

Result<> Moves::settle(const move::MoveId& id, bool moved) {
  bool settled = false;
  const auto settle_in = [&](auto& table) {
    const auto found = table.find(id);
    if (found != table.end()) settled |= found->second->settle(moved);
  };
  settle_in(origins_);
  settle_in(destinations_);
  settle_in(peers_);
  if (settled) return {};
  return failure(ErrorCode::not_found, fmt::format("no part in move {} is in doubt here", id.text()),
                 fmt::format("one is if nobody has answered it for {} s: `sockswap moves` shows its state",
                             in_doubt_after.count()));
}

void Moves::on_message(Incoming incoming) {
  const auto id = move::MoveId::from_bytes(incoming.message.move_id());
  if (!id) {
    log::warn("{} sent a message of a move without the move's id", incoming.host);
    return;
  }
  // A part that is over, and waits for the loop to be taken away, would swallow what this host has to answer.
  const auto take_away = [&](auto& table) {
    if (const auto found = table.find(*id); found != table.end() && found->second->finished())
      end(table, *id);
  };
  take_away(origins_);
  take_away(destinations_);
  take_away(peers_);
  const move::Parts here{.origin = origins_.contains(*id),
                         .destination = destinations_.contains(*id),
                         .peer = peers_.contains(*id)};
  const move::Dispatch dispatch =
      move::dispatch(incoming.message, here, dropped_.contains(*id), context_.self);
  for (const wire::Message& answer : dispatch.answers)
    static_cast<void>(context_.mesh.send(incoming.host, answer));  // none of these can be too large
  if (dispatch.begins.destination && !over_.contains({*id, wire::DESTINATION}))
    add(destinations_, *id,
        std::make_unique<DestinationMove>(context_, *id, incoming.host, incoming.message.offer()))
        .start();
  if (dispatch.begins.peer && !over_.contains({*id, wire::PEER}))
    add(peers_, *id, std::make_unique<PeerMove>(context_, *id, incoming.host, incoming.message.find()))
        .start();
  if (dispatch.to.origin) bring(origins_, *id, incoming);
  if (dispatch.to.destination) bring(destinations_, *id, incoming);
  if (dispatch.to.peer) bring(peers_, *id, incoming);
}

void Moves::on_host_lost(const std::string& host, const Error& error) {
  each(origins_, [&](OriginMove& role) { role.on_host_lost(host, error); });
  each(destinations_, [&](DestinationMove& role) { role.on_host_lost(host); });
  each(peers_, [&](PeerMove& role) { role.on_host_lost(host); });
}

void Moves::on_receiver_added(const std::string& receiver) {
  each(destinations_, [&](DestinationMove& role) { role.on_receiver_added(receiver); });
}

void Moves::on_receiver_gone(const std::string& receiver) {
  each(destinations_, [&](DestinationMove& role) { role.on_receiver_gone(receiver); });
}

}  // namespace sockswap::daemon
