#include "keeper.h"

#include <algorithm>

#include "socket/reconcile.h"
#include "wire/endpoints.h"

namespace sockswap::simulation {
namespace {

// sockswap-keeper's own limit: a program stands still no longer, whatever becomes of its daemon.
constexpr Time hold_limit = std::chrono::seconds(5);

}  // namespace

Result<std::vector<socket::Image>> Keeper::freeze(const move::MoveId& id,
                                                  std::vector<std::shared_ptr<End>> ends) {
  for (const auto& end : ends)
    if (end->state != End::State::live || end->reset)
      return failure(ErrorCode::not_movable, "not established");
  std::vector<socket::Image> images;
  for (const auto& end : ends) {
    end->state = End::State::frozen;
    images.push_back(kernels_.capture(*end));
  }
  origins_[id] = std::move(ends);
  return images;
}

void Keeper::release(const move::MoveId& id) {
  const auto kept = origins_.find(id);
  if (kept == origins_.end()) return;
  for (const auto& end : kept->second) kernels_.remove(*end);
  origins_.erase(kept);
}

void Keeper::thaw(const move::MoveId& id) {
  const auto kept = origins_.find(id);
  if (kept == origins_.end()) return;
  for (const auto& end : kept->second) kernels_.thaw(*end);
  origins_.erase(kept);
}

std::vector<Endpoint> Keeper::reserve(const move::MoveId& id, const wire::Offer& offer) {
  Arriving arriving;
  std::vector<Endpoint> locals;
  for (const wire::Offer::End& end : offer.ends()) {
    locals.push_back(kernels_.free_endpoint(host_));
    arriving.tuples.push_back({locals.back(), wire::from_message(end.remote()).value()});
  }
  destinations_[id] = std::move(arriving);
  return locals;
}

Result<> Keeper::rebuild(const move::MoveId& id, const std::vector<socket::Image>& images) {
  Arriving& arriving = destinations_.at(id);
  for (std::size_t i = 0; i < images.size(); ++i) {
    SOCKSWAP_CHECK(socket::validate(images[i]));
    auto end = kernels_.make(host_, arriving.tuples[i], kernels_.party(images[i].timestamp));
    kernels_.rebuild(*end, images[i], arriving.tuples[i]);
    end->state = End::State::dormant;
    arriving.ends.push_back(std::move(end));
  }
  return {};
}

std::vector<std::shared_ptr<End>> Keeper::let_go(const move::MoveId& id, const move::LostEnds& lost) {
  const auto found = destinations_.find(id);
  if (found == destinations_.end()) return {};
  Arriving& arriving = found->second;
  std::vector<std::shared_ptr<End>> out;
  for (std::uint32_t i = 0; i < arriving.ends.size(); ++i) {
    End& end = *arriving.ends[i];
    if (lost.contains(i)) {
      if (end.state == End::State::dormant) kernels_.remove(end);
      continue;
    }
    if (!arriving.live) kernels_.thaw(end);
    out.push_back(arriving.ends[i]);
  }
  arriving.live = true;
  return out;
}

void Keeper::drop(const move::MoveId& id) {
  const auto found = destinations_.find(id);
  if (found == destinations_.end()) return;
  for (const auto& end : found->second.ends) kernels_.remove(*end);
  destinations_.erase(found);
}

Result<> Keeper::hold(const move::MoveId& id, bool arbiter, std::vector<Staying> ends) {
  for (Staying& staying : ends) {
    End& end = *staying.end;
    if (end.state != End::State::live || end.reset) return failure(ErrorCode::not_movable, "not established");
    socket::Image image = kernels_.capture(end);
    staying.position = image.position;
    SOCKSWAP_CHECK(socket::check_agreement(image.position, staying.moving));
    if (mutant_ != Mutant::in_flight_forgotten)
      SOCKSWAP_CHECK(socket::append_in_flight(image, staying.moving.snd_una, staying.in_flight));
    if (mutant_ != Mutant::sent_not_cut) {
      SOCKSWAP_CHECK(socket::cut_sent(image, staying.moving.rcv_nxt));
    } else {
      image.position.snd_nxt = image.position.snd_una;  // all of it is to be sent anew
      image.unsent.insert(image.unsent.begin(), image.sent.begin(), image.sent.end());
      image.sent.clear();
      image.position.snd_una = image.position.snd_nxt = staying.moving.rcv_nxt;
    }
    staying.image = std::move(image);
  }
  for (Staying& staying : ends) {
    staying.end->state = End::State::frozen;
    staying.end->held_up = staying.end->staying = true;
    if (arbiter) staying.end->paused_until = (clock_.now() + hold_limit).count();
  }
  const std::uint64_t number = ++made_;
  peers_[id] = {.stage = Holding::Stage::held, .ends = std::move(ends), .number = number};
  if (arbiter && mutant_ != Mutant::keeper_never_gives_up && mutant_ != Mutant::arbiter_never_gives_up)
    clock_.after(hold_limit, [this, id, number] {
      const auto found = peers_.find(id);
      if (found != peers_.end() && found->second.number == number &&
          found->second.stage == Holding::Stage::held)
        undo(found->second);
    });
  return {};
}

bool Keeper::swap(const move::MoveId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return false;
  Holding& holding = found->second;
  if (holding.stage == Holding::Stage::undone) {
    if (mutant_ != Mutant::arbiter_forgets_undone) return false;
    for (Staying& staying : holding.ends) staying.end->state = End::State::frozen;
    holding.stage = Holding::Stage::held;
  }
  if (holding.stage == Holding::Stage::swapped) return true;
  for (Staying& staying : holding.ends) {
    End& end = *staying.end;
    kernels_.rebuild(end, *staying.image, {staying.place.local, staying.place.remote});
    const bool held_up = end.held_up;
    kernels_.thaw(end);
    end.held_up = held_up;
  }
  holding.stage = Holding::Stage::swapped;
  return true;
}

void Keeper::resume(const move::MoveId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  for (Staying& staying : found->second.ends) staying.end->held_up = false;
}

void Keeper::undo(Holding& holding) {
  if (holding.stage == Holding::Stage::swapped)
    for (Staying& staying : holding.ends) staying.end->held_up = false;
  if (holding.stage != Holding::Stage::held) return;
  for (Staying& staying : holding.ends) kernels_.thaw(*staying.end);
  holding.stage = Holding::Stage::undone;
}

void Keeper::undo(const move::MoveId& id) {
  if (const auto found = peers_.find(id); found != peers_.end()) undo(found->second);
}

void Keeper::forget_peer(const move::MoveId& id) { peers_.erase(id); }

void Keeper::undo_all_but(const std::map<move::PartKey, move::Records>& known) {
  const auto ids = [](const auto& table) {
    std::vector<move::MoveId> out;
    for (const auto& [id, kept] : table) out.push_back(id);
    return out;
  };
  for (const move::MoveId& id : ids(origins_))
    if (!known.contains({id, wire::ORIGIN})) thaw(id);
  for (const move::MoveId& id : ids(destinations_))
    if (!known.contains({id, wire::DESTINATION})) {
      if (destinations_.at(id).live)
        destinations_.erase(id);
      else
        drop(id);
    }
  for (const move::MoveId& id : ids(peers_))
    if (!known.contains({id, wire::PEER})) {
      undo(id);
      resume(id);
      peers_.erase(id);
    }
}

void Keeper::power_off() {
  origins_.clear();
  destinations_.clear();
  peers_.clear();
}

bool Keeper::empty() const {
  return origins_.empty() &&
         std::ranges::all_of(destinations_, [](const auto& each) { return each.second.live; }) &&
         std::ranges::none_of(peers_,
                              [](const auto& each) { return each.second.stage == Holding::Stage::held; });
}

}  // namespace sockswap::simulation
