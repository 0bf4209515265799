// What a mutant host does instead of what its machines say. Private to host*.cpp.
#pragma once

#include "host_parts.h"

namespace sockswap::simulation {

template <class P>
inline constexpr bool is_origin =
    std::is_same_v<std::decay_t<decltype(std::declval<P>().machine)>, move::Origin>;
template <class P>
inline constexpr bool is_destination =
    std::is_same_v<std::decay_t<decltype(std::declval<P>().machine)>, move::Destination>;
template <class P>
inline constexpr bool is_peer = std::is_same_v<std::decay_t<decltype(std::declval<P>().machine)>, move::Peer>;

template <class P>
void Host::mutate_sending(const move::MoveId& id, const P& part, const wire::Message& message) {
  if constexpr (is_origin<P>) {
    if (!message.has_swap() || part.machine.state() != move::Origin::State::deciding) return;
    if (mutant_ == Mutant::origin_releases_early) keeper_.release(id);
    if (mutant_ == Mutant::others_swap_with_arbiter)
      for (const move::OriginPlan::End& end : part.machine.plan().ends)
        if (end.peer != part.machine.plan().arbiter()) send(end.peer, message);
  }
}

template <class P>
auto Host::mutated_timer(P& part) -> decltype(part.machine.on_timer()) {
  if constexpr (is_origin<P>) {
    if (mutant_ == Mutant::origin_undoes_when_in_doubt &&
        part.machine.state() == move::Origin::State::deciding)
      return part.machine.settle(false);
  } else if constexpr (is_destination<P>) {
    if (mutant_ == Mutant::destination_drops_in_doubt &&
        part.machine.state() == move::Destination::State::ready)
      return part.machine.settle(false);
  } else if (part.machine.state() == move::Peer::State::held) {
    if (mutant_ == Mutant::arbiter_never_gives_up && part.machine.is_arbiter()) return {};
    if (mutant_ == Mutant::peer_decides_in_doubt && !part.machine.is_arbiter())
      return part.machine.settle(false);
  }
  return part.machine.on_timer();
}

template <class P>
auto Host::mutated_message(const move::MoveId& id, P& part, const std::string& from,
                           const wire::Message& message) -> decltype(part.machine.on_timer()) {
  if constexpr (is_origin<P>) {
    if (mutant_ == Mutant::origin_trusts_forgetful_arbiter && message.has_unknown() &&
        message.unknown().by() == wire::PEER) {
      wire::Message undone;
      undone.set_move_id(id.bytes());
      undone.mutable_undone()->set_by(wire::PEER);
      return part.machine.on_message(from, undone);
    }
  } else if constexpr (is_destination<P>) {
    if (mutant_ == Mutant::live_on_first_swap && message.has_swapped() &&
        part.machine.state() == move::Destination::State::ready)
      return part.machine.settle(true);
  }
  return part.machine.on_message(from, message);
}

template <class P>
auto Host::mutated_loss(P& part, const std::string& host) -> decltype(part.machine.on_timer()) {
  if constexpr (is_origin<P>) {
    return part.machine.on_host_lost(host, {ErrorCode::unreachable, "session lost", "", 0});
  } else {
    if constexpr (is_peer<P>)
      if (mutant_ == Mutant::arbiter_never_gives_up && part.machine.state() == move::Peer::State::held)
        return {};
    return part.machine.on_host_lost(host);
  }
}

}  // namespace sockswap::simulation
