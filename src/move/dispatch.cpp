#include "move/dispatch.h"

#include "wire/errors.h"

namespace sockswap::move {
namespace {

wire::Message unknown(const wire::Message& to, wire::Role by) {
  wire::Message answer;
  answer.set_move_id(to.move_id());
  answer.mutable_unknown()->set_by(by);
  return answer;
}

wire::Message undone(const wire::Message& to, wire::Role by) {
  wire::Message answer;
  answer.set_move_id(to.move_id());
  answer.mutable_undone()->set_by(by);
  return answer;
}

// The sender needn't wait for its deadline to learn that its move was given up here.
wire::Message refuse(const wire::Message& to, wire::Role by, const std::string& self) {
  wire::Message answer;
  answer.set_move_id(to.move_id());
  answer.mutable_refuse()->set_by(by);
  wire::to_message(
      Error{ErrorCode::unreachable, self + " has given the move up: a session was lost", "try again", 0},
      *answer.mutable_refuse()->mutable_error());
  return answer;
}

bool has(const Parts& here, wire::Role role) {
  switch (role) {
    case wire::ORIGIN: return here.origin;
    case wire::DESTINATION: return here.destination;
    case wire::PEER: return here.peer;
    default: return false;
  }
}

}  // namespace

Dispatch dispatch(const wire::Message& message, const Parts& here, bool dropped, const std::string& self) {
  Dispatch out;
  const Parts destination{.destination = here.destination}, peer{.peer = here.peer};
  switch (message.body_case()) {
    case wire::Message::kOffer: out.begins.destination = !here.destination; break;
    case wire::Message::kFind: out.begins.peer = !here.peer; break;
    case wire::Message::kState:
    case wire::Message::kDeliver:
      out.to = destination;
      if (!here.destination) out.answers.push_back(refuse(message, wire::DESTINATION, self));
      break;
    case wire::Message::kHold:
      out.to = peer;
      if (!here.peer) out.answers.push_back(refuse(message, wire::PEER, self));
      break;
    case wire::Message::kSwap:
      out.to = peer;
      if (!here.peer) out.answers.push_back(unknown(message, wire::PEER));
      break;
    case wire::Message::kActivate:
      out.to = destination;
      if (!here.destination) out.answers.push_back(unknown(message, wire::DESTINATION));
      break;
    case wire::Message::kUndo:
    case wire::Message::kDoubt:
      out.to = {.destination = here.destination, .peer = here.peer};
      if (!here.destination && !here.peer && !dropped) {
        out.answers.push_back(unknown(message, wire::NO_ROLE));
        break;
      }
      if (!here.destination)
        out.answers.push_back(dropped ? undone(message, wire::DESTINATION)
                                      : unknown(message, wire::DESTINATION));
      if (!here.peer) out.answers.push_back(unknown(message, wire::PEER));
      break;
    case wire::Message::kForget: out.to = {.destination = here.destination, .peer = here.peer}; break;
    case wire::Message::kSwapped: out.to = {.origin = here.origin, .destination = here.destination}; break;
    case wire::Message::kActivated: out.to = {.origin = here.origin, .peer = here.peer}; break;
    case wire::Message::kUndone:
    case wire::Message::kUnknown: out.to = here; break;
    case wire::Message::kAsk: {
      const wire::Role of = message.ask().of();
      out.to = {.origin = here.origin && of == wire::ORIGIN,
                .destination = here.destination && of == wire::DESTINATION,
                .peer = here.peer && of == wire::PEER};
      if (of == wire::NO_ROLE || has(here, of)) break;
      out.answers.push_back(of == wire::DESTINATION && dropped ? undone(message, of) : unknown(message, of));
      break;
    }
    default: out.to.origin = here.origin; break;
  }
  return out;
}

}  // namespace sockswap::move
