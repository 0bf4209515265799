// What only one role asks for, and the mutants of it.
#include <fmt/format.h>

#include "host_parts.h"
#include "move/images.h"
#include "mutants.h"
#include "socket/reconcile.h"
#include "wire/endpoints.h"

namespace sockswap::simulation {

using namespace move::action;

const char* body_name(const wire::Message& message) {
  switch (message.body_case()) {
    case wire::Message::kOffer: return "Offer";
    case wire::Message::kAccept: return "Accept";
    case wire::Message::kFind: return "Find";
    case wire::Message::kFound: return "Found";
    case wire::Message::kHold: return "Hold";
    case wire::Message::kHeld: return "Held";
    case wire::Message::kDeliver: return "Deliver";
    case wire::Message::kReady: return "Ready";
    case wire::Message::kSwap: return "Swap";
    case wire::Message::kSwapped: return "Swapped";
    case wire::Message::kActivate: return "Activate";
    case wire::Message::kActivated: return "Activated";
    case wire::Message::kForget: return "Forget";
    case wire::Message::kUndo: return "Undo";
    case wire::Message::kUndone: return "Undone";
    case wire::Message::kRefuse: return "Refuse";
    case wire::Message::kAsk: return "Ask";
    case wire::Message::kState: return "State";
    case wire::Message::kStateTaken: return "StateTaken";
    case wire::Message::kUnknown: return "Unknown";
    case wire::Message::kDoubt: return "Doubt";
    case wire::Message::kWaiting: return "Waiting";
    default: return "?";
  }
}

void Host::perform(const move::MoveId& id, const std::shared_ptr<OriginPart>& part,
                   move::Origin::Action& action) {
  const auto go_on = [&](move::Origin::Actions actions) { run(id, origins_, part, std::move(actions)); };
  if (std::holds_alternative<FreezeMoving>(action)) {
    auto images = keeper_.freeze(id, part->ends);
    if (!images) return go_on(part->machine.on_failure(images.error()));
    std::vector<socket::Position> positions;
    for (socket::Image& image : *images) {
      positions.push_back(image.position);
      part->in_flight.push_back(socket::take_in_flight(image));
    }
    part->images = *std::move(images);
    note(id, "origin", "freezes");
    return go_on(part->machine.on_frozen(std::move(positions)));
  }
  if (std::holds_alternative<SendState>(action)) {
    wire::Message state;
    state.set_move_id(id.bytes());
    state.mutable_state();
    return send(part->machine.plan().destination, std::move(state), {Bytes(3)});
  }
  if (auto* hold = std::get_if<SendHold>(&action)) {
    std::vector<Bytes> attachments;
    for (const wire::Hold::End& end : hold->message.hold().ends())
      attachments.push_back(part->in_flight[end.index()]);
    return send(hold->peer, std::move(hold->message), std::move(attachments));
  }
  if (std::holds_alternative<SendDeliver>(action)) {
    wire::Message deliver;
    deliver.set_move_id(id.bytes());
    std::vector<Bytes> attachments;
    for (const socket::Image& image : part->images) {
      move::to_message(image, *deliver.mutable_deliver()->add_images());
      attachments.push_back(image.received);
      attachments.push_back(image.unsent);
    }
    return send(part->machine.plan().destination, std::move(deliver), std::move(attachments));
  }
  if (std::holds_alternative<ReleaseMoving>(action)) {
    note(id, "origin", "releases");
    keeper_.release(id);
    return;
  }
  if (std::holds_alternative<ThawMoving>(action)) {
    note(id, "origin", "thaws");
    if (mutant_ != Mutant::origin_keeps_frozen_on_undo) keeper_.thaw(id);
    return;
  }
  if (auto* conclude = std::get_if<Conclude>(&action)) {
    if (witness_.history)
      note(id, "origin", conclude->error ? "concludes: " + conclude->error->text() : "concludes: moved");
    witness_.concluded(id, conclude->error);
  }
}

void Host::perform(const move::MoveId& id, const std::shared_ptr<DestinationPart>& part,
                   move::Destination::Action& action) {
  const auto go_on = [&](move::Destination::Actions actions) {
    run(id, destinations_, part, std::move(actions));
  };
  if (std::holds_alternative<ReserveEnds>(action))
    return go_on(part->machine.on_reserved(keeper_.reserve(id, part->machine.offer())));
  if (std::holds_alternative<TakeState>(action)) return go_on(part->machine.on_state_taken());
  if (std::holds_alternative<RebuildEnds>(action)) {
    std::vector<socket::Image> images;
    const wire::Deliver& deliver = part->letter->message.deliver();
    for (int i = 0; i < deliver.images_size(); ++i) {
      const auto at = static_cast<std::size_t>(2 * i);
      images.push_back(move::from_message(deliver.images(i), part->letter->attachments[at],
                                          part->letter->attachments[at + 1])
                           .value());
    }
    auto rebuilt = keeper_.rebuild(id, images);
    if (!rebuilt) return go_on(part->machine.on_failure(rebuilt.error()));
    note(id, "destination", "rebuilds");
    go_on(part->machine.on_rebuilt());
    if (mutant_ == Mutant::live_when_ready) go_on(part->machine.settle(true));
    return;
  }
  if (auto* let_go = std::get_if<LetGo>(&action)) {
    note(id, "destination", "lets go");
    move::LostEnds lost = let_go->lost;
    auto ends = keeper_.let_go(id, lost);
    for (const auto& end : ends) end->owned = true;
    if (!witness_.receiver_lives(number_))
      for (std::uint32_t i = 0; i < ends.size(); ++i) {
        kernels_.remove(*ends[i]);
        lost.try_emplace(i, Error{ErrorCode::lost, "the receiver is dead", "", 0});
      }
    return go_on(part->machine.on_live(lost));
  }
  if (std::holds_alternative<DropEnds>(action)) {
    note(id, "destination", "drops");
    dropped_.insert(id);
    if (mutant_ != Mutant::destination_keeps_on_undo) keeper_.drop(id);
  }
}

void Host::perform(const move::MoveId& id, const std::shared_ptr<PeerPart>& part,
                   move::Peer::Action& action) {
  const auto go_on = [&](move::Peer::Actions actions) { run(id, peers_, part, std::move(actions)); };
  const auto fail = [&](const char* why) { go_on(part->machine.on_failure({ErrorCode::busy, why, "", 0})); };
  if (std::holds_alternative<FindEnds>(action)) {
    for (const wire::Find::End& sought : part->machine.find().ends()) {
      const FourTuple tuple = wire::from_message(sought.tuple()).value();
      std::shared_ptr<End> found;
      for (const auto& end : kernels_.ends())
        if (end->host == number_ && end->tuple == tuple) found = end;
      if (!found || !lock(part->locked, tuple)) return fail("not here, or busy");
      part->found.push_back(std::move(found));
      part->indexes.push_back(sought.index());
    }
    return go_on(part->machine.on_found());
  }
  if (std::holds_alternative<HoldEnds>(action)) {
    const wire::Hold& hold = part->letter->message.hold();
    std::vector<Keeper::Staying> staying;
    for (int i = 0; i < hold.ends_size(); ++i) {
      const wire::Hold::End& end = hold.ends(i);
      const auto at =
          std::find(part->indexes.begin(), part->indexes.end(), end.index()) - part->indexes.begin();
      staying.push_back({.index = end.index(),
                         .end = part->found[static_cast<std::size_t>(at)],
                         .moving = move::from_message(end.moving()),
                         .place = {wire::from_message(end.new_local()).value(),
                                   wire::from_message(end.new_remote()).value()},
                         .in_flight = part->letter->attachments[static_cast<std::size_t>(i)],
                         .image = {},
                         .position = {}});
    }
    if (auto held = keeper_.hold(id, part->machine.is_arbiter(), std::move(staying)); !held)
      return go_on(part->machine.on_failure(held.error()));
    note(id, "peer", "holds");
    std::vector<move::Peer::HeldEnd> ends;
    for (const Keeper::Staying& each : keeper_.held(id)) ends.push_back({each.index, each.position});
    if (mutant_ == Mutant::peer_resumes_before_swap) keeper_.resume(id);
    return go_on(part->machine.on_held(ends));
  }
  if (std::holds_alternative<SwapEnds>(action)) {
    if (!keeper_.swap(id)) return go_on(part->machine.on_undone_already());
    note(id, "peer", "swaps");
    if (part->machine.is_arbiter()) witness_.arbiter_swapped(id);
    return go_on(part->machine.on_swapped({}));
  }
  if (std::holds_alternative<ResumeHolders>(action)) return keeper_.resume(id);
  if (std::holds_alternative<ThawEnds>(action)) {
    note(id, "peer", "thaws");
    if (mutant_ != Mutant::peer_keeps_frozen_on_undo) keeper_.undo(id);
    for (const FourTuple& tuple : part->locked) locks_.erase(tuple);
    part->locked.clear();
  }
}

}  // namespace sockswap::simulation
