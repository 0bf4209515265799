// Private to host*.cpp: running one part, its actions in order, as src/daemon/running.h does.
#pragma once

#include <utility>

#include "host.h"

namespace sockswap::simulation {

const char* body_name(const wire::Message& message);
inline const char* role_name(const auto& part) {
  using Machine = std::decay_t<decltype(part.machine)>;
  if constexpr (std::is_same_v<Machine, move::Origin>) return "origin";
  if constexpr (std::is_same_v<Machine, move::Destination>) return "destination";
  return "peer";
}

template <class P>
std::shared_ptr<P> Host::add(const move::MoveId& id, Table<P>& table, std::shared_ptr<P> part) {
  return table[id] = std::move(part);
}

template <class P>
void Host::end_part(Table<P>& table, const move::MoveId& id, P& part) {
  for (const FourTuple& tuple : part.locked) locks_.erase(tuple);
  part.locked.clear();
  const bool origin = std::is_same_v<P, OriginPart>, peer = std::is_same_v<P, PeerPart>;
  over_.insert({id, origin ? wire::ORIGIN : peer ? wire::PEER : wire::DESTINATION});
  if (peer) keeper_.forget_peer(id);
  if (!origin && !peer) keeper_.forget(id);
  table.erase(id);
}

template <class P, class Action>
bool Host::common(const move::MoveId& id, Table<P>& table, const std::shared_ptr<P>& part, Action& action) {
  if (auto* send_it = std::get_if<move::action::Send>(&action)) {
    if (witness_.history)
      note(id, role_name(*part), fmt::format("says {} to {}", body_name(send_it->message), send_it->to));
    mutate_sending(id, *part, send_it->message);
    send(send_it->to, std::move(send_it->message));
    return true;
  }
  if (auto* record = std::get_if<move::action::Write>(&action)) {
    const bool written = write(*record);
    if (witness_.history)
      note(id, role_name(*part),
           fmt::format("{} {}", written ? "writes" : "can't write", move::name(record->record.mark_case())));
    if (written) return true;
    part->queue.clear();
    run(id, table, part, part->machine.on_unwritten({ErrorCode::no_resources, "the disk is full", "", 0}));
    return true;
  }
  if (std::holds_alternative<move::action::Step>(action)) return true;
  if (auto* timer = std::get_if<move::action::SetTimer>(&action)) {
    clock_.after(timer->after,
                 [this, id, &table, life = life_, weak = std::weak_ptr(part), setting = ++part->timer] {
                   const auto alive = weak.lock();
                   if (!alive || life != life_ || alive->finished || setting != alive->timer) return;
                   note(id, role_name(*alive), "timer");
                   run(id, table, alive, mutated_timer(*alive));
                 });
    return true;
  }
  if (std::holds_alternative<move::action::Finish>(action)) {
    part->finished = true;
    return true;
  }
  return false;
}

template <class P, class Actions>
void Host::run(const move::MoveId& id, Table<P>& table, const std::shared_ptr<P>& part, Actions actions) {
  for (auto& action : actions) part->queue.push_back(std::move(action));
  if (part->running) return;
  part->running = true;
  const std::uint64_t life = life_;
  while (!part->queue.empty()) {
    if (doomed_in_ > 0 && --doomed_in_ == 0) on_doom_();
    if (life != life_) return;
    auto action = std::move(part->queue.front());
    part->queue.pop_front();
    if (!common(id, table, part, action)) perform(id, part, action);
  }
  if (life != life_) return;
  part->running = false;
  if (part->finished) end_part(table, id, *part);
}

}  // namespace sockswap::simulation
