#include "daemon/peer_move.h"

#include <fmt/format.h>

#include "base/log.h"

namespace sockswap::daemon {

PeerMove::PeerMove(Context& context, move::MoveId id, std::string origin, const wire::Find& find)
    : Running(context, move::Peer(id, context.self, origin, find), context.history.begin(id, "peer")),
      id_(id),
      ends_(context.keeper, id) {
  record_->origin = std::move(origin);
  record_->destination = find.destination();
}

PeerMove::PeerMove(Context& context, move::MoveId id, move::Peer machine)
    : Running(context, std::move(machine), context.history.begin(id, "peer")),
      id_(id),
      ends_(context.keeper, id) {
  record_->origin = machine_.origin();
  record_->destination = machine_.destination();
  ends_.restore(machine_.find());
  record_->ends = ends_.tuples();
  if (auto lock = context.locks.lock(record_->ends)) lock_ = *std::move(lock);
}

void PeerMove::perform(move::action::FindEnds&) {
  if (auto found = ends_.find(context_, machine_.origin(), machine_.find()); !found)
    return fail(std::move(found).error());
  record_->ends = ends_.tuples();
  auto lock = context_.locks.lock(record_->ends);
  if (!lock) return fail(std::move(lock).error());
  lock_ = *std::move(lock);
  reach_destination();
}

// A peer that can't reach the destination would re-point its ends into nothing. The session is also what
// "swapped" is to find open.
void PeerMove::reach_destination() {
  const std::string& destination = machine_.destination();
  if (context_.mesh.state(destination).phase == HostState::Phase::connected) return run(machine_.on_found());
  const auto on_opened = [this](const Result<>& opened) {
    if (machine_.state() != move::Peer::State::finding) return;
    if (opened) return run(machine_.on_found());
    const Error& why = opened.error();
    const bool versions = why.code == ErrorCode::version_mismatch;  // the origin will say no less
    fail({versions ? why.code : ErrorCode::unreachable,
          fmt::format("{} can't reach {}, where the other end would live: {}", context_.self,
                      machine_.destination(), why.text()),
          versions ? why.hint : fmt::format("`sockswap hosts` on {} shows why", context_.self), 0});
  };
  context_.mesh.open(destination, while_alive(on_opened));
}

void PeerMove::perform(move::action::HoldEnds&) {
  record_->step("holding");
  const auto asked = std::chrono::steady_clock::now();
  auto held =
      ends_.hold(context_, machine_.destination(), message_->hold(), machine_.is_arbiter(), attachments_);
  if (!held) return fail(std::move(held).error());
  // Nobody is, where the kernel swaps in place.
  if (held->paused.count() > 0) record_->step("paused", asked + held->paused);
  std::vector<move::Peer::HeldEnd> staying;
  for (const keep::HeldStaying::End& end : held->ends) staying.push_back({end.index, end.position});
  run(machine_.on_held(staying));
}

void PeerMove::perform(move::action::SwapEnds&) {
  record_->step("swapping");
  const auto lost = ends_.swap();
  if (!lost) return run(machine_.on_undone_already());
  record_->step("repointed");
  for (const auto& [index, error] : *lost) log::error("move {}: {}", id_.text(), error.text());
  if (!lost->empty()) record_->error = lost->begin()->second;
  run(machine_.on_swapped(*lost));
}

void PeerMove::perform(move::action::ResumeHolders&) {
  if (auto resumed = ends_.resume(); !resumed)
    log::error("move {}: a paused program could not be let go: {}", id_.text(), resumed.error().text());
  record_->step("swapped");
}

void PeerMove::perform(move::action::ThawEnds&) {
  if (auto thawed = ends_.thaw(); !thawed)
    log::error("move {}: a staying end could not be thawed: {}", id_.text(), thawed.error().text());
  lock_ = {};  // the move may be remembered for long, the connection is free
}

void PeerMove::perform(move::action::Finish& finish) {
  if (auto forgotten = ends_.forget(); !forgotten)
    log::error("move {}: {}", id_.text(), forgotten.error().text());
  Running::perform(finish);
}

void PeerMove::fail(Error error) {
  record_->error = error;
  run(machine_.on_failure(std::move(error)));
}

}  // namespace sockswap::daemon
