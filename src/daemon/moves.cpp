#include "daemon/moves.h"

#include <sys/random.h>

#include <asio/post.hpp>

#include "base/log.h"
#include "wire/errors.h"

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
void Moves::add(Table<Role>& table, const move::MoveId& id, std::unique_ptr<Role> role) {
  // Finished inside its own call, so erased after it.
  role->on_finished = [this, &table, id] { asio::post(context_.io, [&table, id] { table.erase(id); }); };
  Role& added = *table.emplace(id, std::move(role)).first->second;
  added.start();
}

template <class Role>
bool Moves::bring(Table<Role>& table, const move::MoveId& id, Incoming& incoming) {
  const auto found = table.find(id);
  if (found == table.end()) return false;
  found->second->on_message(incoming.host, incoming.message, std::move(incoming.attachments));
  return true;
}

Result<move::MoveId> Moves::begin(MoveOrder order, OriginMove::Listener listener) {
  const move::MoveId id = random_id();
  SOCKSWAP_TRY(auto prepared, OriginMove::prepare(context_, id, std::move(order), std::move(listener)));
  add(origins_, id, std::move(prepared));
  return id;
}

void Moves::cancel(const move::MoveId& id, Error error) {
  if (const auto found = origins_.find(id); found != origins_.end()) found->second->cancel(std::move(error));
}

void Moves::on_message(Incoming incoming) {
  const auto id = move::MoveId::from_bytes(incoming.message.move_id());
  if (!id) {
    log::warn("{} sent a message of a move without the move's id", incoming.host);
    return;
  }
  switch (incoming.message.body_case()) {
    case wire::Message::kOffer:
      if (!destinations_.contains(*id))
        add(destinations_, *id,
            std::make_unique<DestinationMove>(context_, *id, incoming.host, incoming.message.offer()));
      return;
    case wire::Message::kFind:
      if (!peers_.contains(*id))
        add(peers_, *id, std::make_unique<PeerMove>(context_, *id, incoming.host, incoming.message.find()));
      return;
    case wire::Message::kState:
    case wire::Message::kDeliver:
      if (!bring(destinations_, *id, incoming)) answer_stranger(*id, incoming);
      return;
    case wire::Message::kActivate: bring(destinations_, *id, incoming); return;
    case wire::Message::kHold:
      if (!bring(peers_, *id, incoming)) answer_stranger(*id, incoming);
      return;
    case wire::Message::kSwap: bring(peers_, *id, incoming); return;
    case wire::Message::kSwapped:  // one host may be both, and hears it once
      bring(origins_, *id, incoming);
      bring(destinations_, *id, incoming);
      return;
    case wire::Message::kForget:
      bring(destinations_, *id, incoming);
      bring(peers_, *id, incoming);
      return;
    case wire::Message::kUndo: {
      const bool destination = bring(destinations_, *id, incoming);
      const bool peer = bring(peers_, *id, incoming);
      if (!destination && !peer) answer_stranger(*id, incoming);
      return;
    }
    case wire::Message::kAsk:
      if (!bring(origins_, *id, incoming)) answer_stranger(*id, incoming);
      return;
    default: bring(origins_, *id, incoming); return;
  }
}

// To a message of a move that this host doesn't know (any more).
void Moves::answer_stranger(const move::MoveId& id, const Incoming& incoming) {
  wire::Message answer;
  answer.set_move_id(id.bytes());
  switch (incoming.message.body_case()) {
    case wire::Message::kAsk: answer.mutable_undo(); break;  // never committed, or it would be known
    case wire::Message::kUndo: answer.mutable_undone(); break;
    case wire::Message::kHold:
    case wire::Message::kState:
    case wire::Message::kDeliver:  // given up here when the session was lost
      wire::to_message(Error{ErrorCode::unreachable,
                             context_.self + " has given the move up: a session was lost", "try again", 0},
                       *answer.mutable_refuse()->mutable_error());
      break;
    default: return;
  }
  static_cast<void>(context_.mesh.send(incoming.host, answer));  // none of these can be too large
}

void Moves::on_host_lost(const std::string& host, const Error& error) {
  each(origins_, [&](OriginMove& role) { role.on_host_lost(host, error); });
  each(destinations_, [&](DestinationMove& role) { role.on_host_lost(host); });
  each(peers_, [&](PeerMove& role) { role.on_host_lost(host); });
}

void Moves::on_receiver_gone(const std::string& receiver) {
  each(destinations_, [&](DestinationMove& role) { role.on_receiver_gone(receiver); });
}

}  // namespace sockswap::daemon
