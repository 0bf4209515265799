// The calls of the three roles.
#include "keep/client.h"
#include "move/images.h"
#include "wire/endpoints.h"

namespace sockswap::keep {
namespace {

using wire::keeper::Reply;
using wire::keeper::Request;

Request request_of(const move::MoveId& id) {
  Request request;
  request.set_move_id(id.bytes());
  return request;
}

Error malformed() { return {ErrorCode::internal, "the keeper's answer doesn't fit the request", {}, 0}; }

Result<std::vector<Movable>> from_message(const wire::keeper::Checked& message) {
  std::vector<Movable> ends;
  for (const auto& end : message.ends()) {
    Movable& movable = ends.emplace_back();
    SOCKSWAP_TRY(movable.tuple, wire::from_message(end.tuple()));
    SOCKSWAP_TRY(movable.family, move::family_from_message(end.family()));
  }
  return ends;
}

}  // namespace

Result<std::vector<Movable>> Client::check_moving(std::span<const int> fds, pid_t asked_by) {
  Request request;
  request.mutable_check_moving()->set_asked_by(static_cast<std::uint32_t>(asked_by));
  SOCKSWAP_TRY(const Answer answer, call(request, Reply::kChecked, {}, fds));
  SOCKSWAP_TRY(auto ends, from_message(answer.reply.checked()));
  if (ends.size() != fds.size()) return failure(malformed());
  return ends;
}

Result<Movable> Client::check_moving(const FourTuple& connection, pid_t asked_by) {
  Request request;
  request.mutable_check_moving()->set_asked_by(static_cast<std::uint32_t>(asked_by));
  wire::to_message(connection, *request.mutable_check_moving()->add_connections());
  SOCKSWAP_TRY(const Answer answer, call(request, Reply::kChecked));
  SOCKSWAP_TRY(auto ends, from_message(answer.reply.checked()));
  if (ends.size() != 1) return failure(malformed());
  return ends.front();
}

Result<std::vector<FrozenMoving>> Client::freeze_moving(const move::MoveId& id, std::span<const int> fds,
                                                        std::uint64_t most_bytes) {
  Request request = request_of(id);
  request.mutable_freeze_moving()->set_most_bytes(most_bytes);
  SOCKSWAP_TRY(Answer answer, call(request, Reply::kFrozen, {}, fds));
  auto& ends = *answer.reply.mutable_frozen()->mutable_ends();
  if (answer.attachments.size() != 3 * static_cast<std::size_t>(ends.size())) return failure(malformed());
  std::vector<FrozenMoving> frozen;
  auto queue = answer.attachments.begin();
  for (auto& end : ends) {
    FrozenMoving& out = frozen.emplace_back();
    out.position = move::from_message(end.position());
    out.image = std::move(*end.mutable_image());
    out.received = std::move(*queue++);
    out.unsent = std::move(*queue++);
    out.in_flight = std::move(*queue++);
  }
  return frozen;
}

Result<> Client::release_moving(const move::MoveId& id) {
  Request request = request_of(id);
  request.mutable_release_moving();
  return done(request);
}

Result<> Client::thaw_moving(const move::MoveId& id) {
  Request request = request_of(id);
  request.mutable_thaw_moving();
  return done(request);
}

Result<std::vector<Endpoint>> Client::reserve(const move::MoveId& id, std::span<const Arriving> ends) {
  Request request = request_of(id);
  for (const Arriving& end : ends) {
    auto& out = *request.mutable_reserve()->add_ends();
    wire::to_message(end.former, *out.mutable_former());
    out.set_family(move::to_message(end.family));
    wire::to_message(end.wanted, *out.mutable_wanted());
    wire::to_message(end.remote, *out.mutable_remote());
  }
  SOCKSWAP_TRY(const Answer answer, call(request, Reply::kReserved));
  std::vector<Endpoint> locals;
  for (const wire::Endpoint& local : answer.reply.reserved().locals()) {
    SOCKSWAP_TRY(const Endpoint endpoint, wire::from_message(local));
    locals.push_back(endpoint);
  }
  if (locals.size() != ends.size()) return failure(malformed());
  return locals;
}

Result<> Client::rebuild(const move::MoveId& id,
                         const google::protobuf::RepeatedPtrField<wire::Image>& images,
                         std::span<const Bytes> queues) {
  Request request = request_of(id);
  *request.mutable_rebuild()->mutable_images() = images;
  const std::vector<ByteView> views(queues.begin(), queues.end());
  SOCKSWAP_CHECK(call(request, Reply::kDone, views));
  return {};
}

Result<LetGone> Client::let_go(const move::MoveId& id, const move::LostEnds& lost, uid_t owner) {
  Request request = request_of(id);
  for (const auto& [index, error] : lost) request.mutable_let_go()->add_lost(index);
  request.mutable_let_go()->set_owner(owner);
  SOCKSWAP_TRY(Answer answer, call(request, Reply::kGone));
  const wire::keeper::Gone& gone = answer.reply.gone();
  if (answer.fds.size() != static_cast<std::size_t>(gone.live_size())) return failure(malformed());
  LetGone out;
  auto fd = answer.fds.begin();
  for (const std::uint32_t index : gone.live()) out.live.push_back({index, std::move(*fd++)});
  out.lost = move::from_message(gone.lost());
  return out;
}

Result<> Client::handed_over(const move::MoveId& id) {
  Request request = request_of(id);
  request.mutable_handed_over();
  return done(request);
}

Result<> Client::drop(const move::MoveId& id) {
  Request request = request_of(id);
  request.mutable_drop();
  return done(request);
}

Result<> Client::find(const move::MoveId& id, std::span<const Sought> ends) {
  Request request = request_of(id);
  request.mutable_find();
  for (const Sought& end : ends) {
    auto& out = *request.mutable_find()->add_ends();
    out.set_index(end.index);
    wire::to_message(end.tuple, *out.mutable_tuple());
  }
  return done(request);
}

Result<HeldStaying> Client::hold(const move::MoveId& id, Arbiter arbiter, std::span<const Holding> ends) {
  Request request = request_of(id);
  request.mutable_hold()->set_arbiter(arbiter == Arbiter::here);
  std::vector<ByteView> in_flight;
  for (const Holding& end : ends) {
    auto& out = *request.mutable_hold()->add_ends();
    out.set_index(end.index);
    move::to_message(end.moving, *out.mutable_moving());
    wire::to_message(end.new_local, *out.mutable_new_local());
    wire::to_message(end.new_remote, *out.mutable_new_remote());
    in_flight.push_back(end.in_flight);
  }
  SOCKSWAP_TRY(const Answer answer, call(request, Reply::kHeld, in_flight));
  HeldStaying held;
  for (const auto& end : answer.reply.held().ends())
    held.ends.push_back({end.index(), move::from_message(end.staying())});
  held.paused = std::chrono::microseconds(answer.reply.held().paused_us());
  return held;
}

Result<Swapped> Client::swap(const move::MoveId& id) {
  Request request = request_of(id);
  request.mutable_swap();
  SOCKSWAP_TRY(const Answer answer, call(request, Reply::kSwapped));
  const auto& swapped = answer.reply.swapped();
  return Swapped{swapped.undone_already(), move::from_message(swapped.lost())};
}

Result<> Client::resume(const move::MoveId& id) {
  Request request = request_of(id);
  request.mutable_resume();
  return done(request);
}

Result<Undone> Client::undo(const move::MoveId& id) {
  Request request = request_of(id);
  request.mutable_undo();
  SOCKSWAP_TRY(const Answer answer, call(request, Reply::kUndone));
  const auto& undone = answer.reply.undone();
  return Undone{undone.swapped_already(), move::from_message(undone.lost())};
}

Result<> Client::forget(const move::MoveId& id) {
  Request request = request_of(id);
  request.mutable_forget();
  return done(request);
}

}  // namespace sockswap::keep
