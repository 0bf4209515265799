#include "daemon/replies.h"

#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::daemon {
namespace {

double microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

void to_message(const MoveRecord::Step& step, wire::Step& message) {
  message.set_name(std::string(step.name));
  message.set_at_us(microseconds(step.at));
}

// How long ends stood still, as far as this role can tell.
std::chrono::nanoseconds pause_of(const MoveRecord& record) {
  if (record.role == "origin") return record.between("freezing", "activated");
  if (record.role == "peer") return record.between("holding", "swapped");
  return {};
}

}  // namespace

wire::Reply done_reply() {
  wire::Reply reply;
  reply.mutable_done();
  return reply;
}

wire::Reply moved_reply(const MoveReport& report) {
  wire::Reply reply;
  wire::Moved& moved = *reply.mutable_moved();
  moved.set_move_id(report.id.bytes());
  moved.set_pause_us(microseconds(report.pause));
  for (const MoveRecord::Step& step : report.record->steps) to_message(step, *moved.add_steps());
  return reply;
}

wire::Reply progress_reply(const MoveRecord::Step& step) {
  wire::Reply reply;
  to_message(step, *reply.mutable_progress()->mutable_step());
  return reply;
}

wire::Reply failed_reply(const Error& error) {
  wire::Reply reply;
  wire::to_message(error, *reply.mutable_failed()->mutable_error());
  return reply;
}

wire::Reply moves_reply(const History& history) {
  wire::Reply reply;
  wire::Moves& moves = *reply.mutable_moves();
  for (const auto& record : history.records()) {
    wire::Moves::Record& out = *moves.add_moves();
    out.set_move_id(record->id.bytes());
    out.set_role(std::string(record->role));
    out.set_state(std::string(record->state));
    out.set_origin(record->origin);
    out.set_destination(record->destination);
    out.set_receiver(record->receiver);
    for (const FourTuple& end : record->ends) wire::to_message(end, *out.add_ends());
    for (const MoveRecord::Step& step : record->steps) to_message(step, *out.add_steps());
    if (record->error) wire::to_message(*record->error, *out.mutable_error());
    out.set_began_unix_us(
        std::chrono::duration_cast<std::chrono::microseconds>(record->began_at.time_since_epoch()).count());
    out.set_pause_us(microseconds(pause_of(*record)));
  }
  return reply;
}

}  // namespace sockswap::daemon
