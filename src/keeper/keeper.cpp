#include "keeper/keeper.h"

#include "keeper/listing.h"
#include "wire/errors.h"

namespace sockswap::keeper {

using wire::keeper::Request;

Keeper::Keeper(HostAddresses& addresses, std::chrono::milliseconds hold_limit)
    : environment_{.kernel = socket::real_kernel(), .addresses = addresses, .frozen = {}, .daemon = 0},
      peers_(environment_, hold_limit) {}

Answer Keeper::serve(const Request& request, std::vector<Bytes> attachments, std::vector<ForeignFd> fds) {
  auto answered = answer(request, std::move(attachments), std::move(fds));
  if (answered) return *std::move(answered);
  Answer failed;
  wire::to_message(answered.error(), *failed.reply.mutable_failed());
  return failed;
}

Result<Answer> Keeper::answer(const Request& request, std::vector<Bytes> attachments,
                              std::vector<ForeignFd> fds) {
  switch (request.body_case()) {
    case Request::kCheckMoving: return origins_.check(request.check_moving(), fds);
    case Request::kListConnections: return list_connections(environment_, request.list_connections());
    case Request::kStore: return store_.store(request.store(), std::move(fds), std::move(attachments));
    case Request::kTake: return store_.take(request.take());
    case Request::kDiscard: return store_.discard(request.discard().key());
    case Request::kListKept: {
      Answer answer;
      wire::keeper::Kept& kept = *answer.reply.mutable_kept();
      store_.drop_ended();
      origins_.list(kept);
      destinations_.list(kept);
      peers_.list(kept);
      store_.list(kept);
      return answer;
    }
    case Request::kReadHosts: {
      SOCKSWAP_TRY(std::string text, environment_.addresses.reload());
      Answer answer;
      answer.reply.mutable_hosts()->set_text(std::move(text));
      return answer;
    }
    case Request::kGoodbye: end_all(); return done();
    default: break;
  }
  const auto id = move::MoveId::from_bytes(request.move_id());
  if (!id) return failure(ErrorCode::usage, "a request that is none, or of no move");
  return answer_of_move(*id, request, std::move(attachments), std::move(fds));
}

Result<Answer> Keeper::answer_of_move(const move::MoveId& id, const Request& request,
                                      std::vector<Bytes> attachments, std::vector<ForeignFd> fds) {
  switch (request.body_case()) {
    case Request::kFreezeMoving: return origins_.freeze(id, request.freeze_moving(), std::move(fds));
    case Request::kReleaseMoving: return origins_.release(id);
    case Request::kThawMoving: return origins_.thaw(id);
    case Request::kReserve: return destinations_.reserve(id, request.reserve());
    case Request::kRebuild: return destinations_.rebuild(id, request.rebuild(), std::move(attachments));
    case Request::kLetGo: return destinations_.let_go(id, request.let_go());
    case Request::kHandedOver: return destinations_.handed_over(id);
    case Request::kDrop: return destinations_.drop(id);
    case Request::kFind: return peers_.find(id, request.find());
    case Request::kHold: return peers_.hold(id, request.hold(), attachments);
    case Request::kSwap: return peers_.swap(id);
    case Request::kResume: return peers_.resume(id);
    case Request::kUndo: return peers_.undo(id);
    case Request::kForget: return peers_.forget(id);
    default: return failure(ErrorCode::usage, "a request that the keeper doesn't know");
  }
}

void Keeper::end_all() {
  origins_.thaw_all();
  peers_.end_all();
  destinations_.drop_all();
  store_.clear();
}

bool Keeper::empty() const {
  return origins_.empty() && destinations_.empty() && peers_.empty() && store_.empty();
}

}  // namespace sockswap::keeper
