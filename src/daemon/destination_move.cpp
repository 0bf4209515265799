#include "daemon/destination_move.h"

#include <fmt/format.h>

#include "base/log.h"
#include "wire/endpoints.h"

namespace sockswap::daemon {
namespace {

// A receiver that lost its daemon registers again. One that doesn't is taken for dead.
constexpr std::chrono::seconds patience_with_receiver{30};

Error another_state() {
  return {ErrorCode::disagreement, "the state isn't what was offered",
          "do all hosts run the same version of sockswapd?", 0};
}

}  // namespace

DestinationMove::DestinationMove(Context& context, move::MoveId id, const std::string& origin,
                                 const wire::Offer& offer)
    : DestinationMove(context, id, move::Destination(id, origin, offer), {}) {}

DestinationMove::DestinationMove(Context& context, move::MoveId id, move::Destination machine,
                                 const move::Records& records)
    : Running(context, std::move(machine), context.history.begin(id, "destination")),
      id_(id),
      ends_(context.keeper, id),
      patience_(context.io) {
  record_->origin = machine_.origin();
  record_->destination = context.self;
  record_->receiver = machine_.offer().receiver();
  if (const auto* reserved = move::find(records, move::JournalRecord::kDestinationReserved)) {
    ends_.restore(machine_.offer(), reserved->destination_reserved().locals());
    receiver_pid_ = reserved->destination_reserved().receiver_pid();
  }
  if (const auto* ahead = move::find(records, move::JournalRecord::kDestinationState))
    restore_state(ahead->destination_state().state());
  else if (const auto* ready = move::find(records, move::JournalRecord::kDestinationReady))
    restore_state(ready->destination_ready().state());
  record_->ends = ends_.former();
}

void DestinationMove::complete(move::JournalRecord& record) {
  if (record.has_destination_reserved())
    record.mutable_destination_reserved()->set_receiver_pid(receiver_->pid());
  if (record.has_destination_state())
    record.mutable_destination_state()->set_state(state_.data(), state_.size());
  if (record.has_destination_ready() && !state_written_)
    record.mutable_destination_ready()->set_state(state_.data(), state_.size());
  state_written_ = state_written_ || record.has_destination_state();
}

void DestinationMove::restore_state(const std::string& state) {
  const ByteView bytes = std::as_bytes(std::span(state));
  state_.assign(bytes.begin(), bytes.end());
}

void DestinationMove::perform(move::action::ReserveEnds&) {
  if (machine_.offer().ends().empty() || machine_.offer().ends_size() > most_ends)
    return fail(
        {ErrorCode::too_large,
         fmt::format("{} ends in one move; 1 to {} are possible", machine_.offer().ends_size(), most_ends),
         "make several moves of it", 0});
  auto receiver = context_.receivers.find(machine_.offer().receiver());
  if (!receiver) return fail(std::move(receiver).error().while_doing(context_.self));
  receiver_ = *std::move(receiver);
  auto locals = ends_.reserve(context_, machine_.offer());
  record_->ends = ends_.former();
  if (!locals) return fail(std::move(locals).error().while_doing("reserve on " + context_.self));
  // The peers are about to say "swapped" to this host: whoever dials, the session should be there.
  for (const wire::Offer::End& end : machine_.offer().ends()) context_.mesh.open(end.peer());
  run(machine_.on_reserved(*locals));
}

// The message's last attachment; none where the state has come ahead.
bool DestinationMove::take_state() {
  if (attachments_.empty()) return false;
  Bytes last = std::move(attachments_.back());
  attachments_.pop_back();
  if (!state_.empty()) return last.empty();
  state_ = std::move(last);
  return state_.size() == machine_.offer().state_bytes();
}

void DestinationMove::perform(move::action::TakeState&) {
  if (!take_state() || !attachments_.empty()) return fail(another_state());
  record_->step("state taken");
  run(machine_.on_state_taken());
}

void DestinationMove::perform(move::action::RebuildEnds&) {
  record_->step("delivered");
  if (!take_state()) return fail(another_state());
  auto rebuilt = ends_.rebuild(message_->deliver(), attachments_);
  if (!rebuilt) return fail(std::move(rebuilt).error().while_doing("rebuild on " + context_.self));
  // The last moment at which this host may still refuse. That the receiver has ended may wait in the loop
  // behind the very message that is being worked on.
  if (!receiver_ || receiver_->has_gone()) return run(machine_.on_receiver_gone(receiver_gone()));
  run(machine_.on_rebuilt());
}

void DestinationMove::perform(move::action::LetGo& what) {
  if (!receiver_) {
    receiver_ = receiver_again();
    restored_ = true;
  }
  if (receiver_)
    let_go(std::move(what.lost));
  else
    wait_for_receiver(std::move(what.lost));
}

// The very process that was registered when the move was offered, after the daemon was started again.
std::shared_ptr<Receiver> DestinationMove::receiver_again() const {
  auto found = context_.receivers.find(machine_.offer().receiver());
  return found && (*found)->pid() == receiver_pid_ ? *std::move(found) : nullptr;
}

void DestinationMove::wait_for_receiver(move::LostEnds lost) {
  waiting_ = std::move(lost);
  patience_.expires_after(patience_with_receiver);
  patience_.async_wait(while_alive([this](const asio::error_code& error) {
    if (error || !waiting_) return;
    move::LostEnds ended = *std::exchange(waiting_, std::nullopt);
    static_cast<void>(ends_.let_go(ended, 0));  // and closed
    lose_all(ended);
    finish_live(ended);
  }));
}

void DestinationMove::on_receiver_added(const std::string& receiver) {
  if (receiver != machine_.offer().receiver() || !waiting_) return;
  receiver_ = receiver_again();
  if (receiver_) let_go(*std::exchange(waiting_, std::nullopt));
}

void DestinationMove::let_go(move::LostEnds lost) {
  record_->step("letting go");
  Arrived arrived{.id = id_,
                  .from = machine_.origin(),
                  .ends = ends_.let_go(lost, receiver_->owner()),
                  .state = std::move(state_)};
  record_->step("thawed");
  hand_over(std::move(arrived), lost);
  record_->step("handed over");
  finish_live(lost);
}

void DestinationMove::finish_live(const move::LostEnds& lost) {
  if (!lost.empty()) record_->error = lost.begin()->second;
  run(machine_.on_live(lost));
  if (auto closed = ends_.handed_over(); !closed) log::warn("move {}: {}", id_.text(), closed.error().text());
}

void DestinationMove::lose_all(move::LostEnds& lost) const {
  const Error error{ErrorCode::lost,
                    fmt::format("'{}' on {} ended as the ends were handed to it", machine_.offer().receiver(),
                                context_.self),
                    "the move was committed; the ends were closed, as with the program's own death", 0};
  for (int index = 0; index < machine_.offer().ends_size(); ++index)
    lost.try_emplace(static_cast<std::uint32_t>(index), error);
}

// A daemon that was killed as it handed the ends over couldn't write down that it had. Nobody but a program
// that was given one can hold it.
bool DestinationMove::has_been_handed_over(const Arrived& arrived) const {
  const auto connection = context_.keeper.connection(arrived.ends.front().tuple);
  return connection && *connection && !(*connection)->holders.empty();
}

void DestinationMove::hand_over(Arrived arrived, move::LostEnds& lost) {
  const auto receiver = std::exchange(receiver_, nullptr);
  if (arrived.ends.empty()) return receiver->not_coming(lost.begin()->second);
  if (restored_ && has_been_handed_over(arrived)) return;
  const auto taken = receiver->take(std::move(arrived));
  if (taken) return;
  log::warn("move {}: {}: its ends are closed", id_.text(), taken.error().text());
  lose_all(lost);
}

void DestinationMove::perform(move::action::DropEnds&) {
  if (auto dropped = ends_.drop(); !dropped) log::error("move {}: {}", id_.text(), dropped.error().text());
  if (const auto receiver = std::exchange(receiver_, nullptr))
    receiver->not_coming(record_->error.value_or(
        Error{ErrorCode::unreachable, fmt::format("the move from {} was undone", machine_.origin()),
              "the ends are where they were; try again", 0}));
}

void DestinationMove::fail(Error error) {
  record_->error = error;
  run(machine_.on_failure(std::move(error)));
}

void DestinationMove::on_receiver_gone(const std::string& receiver) {
  if (receiver != machine_.offer().receiver()) return;
  run(machine_.on_receiver_gone(receiver_gone()));
}

Error DestinationMove::receiver_gone() const {
  return {ErrorCode::receiver_gone,
          fmt::format("'{}' on {} ended before the move was committed", machine_.offer().receiver(),
                      context_.self),
          "start the receiving program again; the connection goes on where it was", 0};
}

}  // namespace sockswap::daemon
