// Giving ends away: sockswap_move(), sockswap_park(), sockswap_decline().
#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "client/abi/arguments.h"
#include "client/abi/handle.h"

using namespace sockswap;
using namespace sockswap::client;

namespace {

void fill(sockswap_move_result* result, const wire::Moved& moved) {
  if (result == nullptr) return;
  sockswap_move_result known{};
  known.size = result->size;
  std::copy_n(moved.move_id().begin(), std::min(moved.move_id().size(), sizeof known.move_id), known.move_id);
  known.pause_us = moved.pause_us();
  std::memcpy(result, &known, std::min(result->size, sizeof known));
}

Result<> check_result(const sockswap_move_result* result) {
  if (result == nullptr || result->size >= sizeof result->size) return {};
  return failure(ErrorCode::usage, "a result without its size",
                 "set its first field to sizeof of the struct");
}

OnStep step_caller(const sockswap_move_options& options) {
  if (options.progress == nullptr) return {};
  return [&options](const wire::Step& step) {
    options.progress(options.context, step.name().c_str(), step.at_us());
  };
}

}  // namespace

int sockswap_move(sockswap_handle* s, const int* fds, size_t count, const char* host, const char* receiver,
                  const void* state, size_t state_size, const sockswap_move_options* options,
                  sockswap_move_result* result) {
  return with_dialogue(s, [&](Dialogue& dialogue) -> Result<int> {
    SOCKSWAP_TRY(const sockswap_move_options known, known_part(options));
    SOCKSWAP_CHECK(check_result(result));
    SOCKSWAP_CHECK(check_host(host));
    SOCKSWAP_CHECK(check_name(receiver, "receiver"));
    SOCKSWAP_TRY(const ByteView luggage, check_state(state, state_size));
    SOCKSWAP_CHECK(check_sockets(fds, count));

    wire::Request request = dialogue.request();
    wire::Move& move = *request.mutable_move();
    move.set_to(host);
    move.set_receiver(receiver);
    move.set_hand_over(known.hand_over);
    move.set_deadline_ms(known.deadline_ms);
    const std::array attachments{luggage};
    const std::span ends(fds, count);
    SOCKSWAP_TRY(const Incoming answer,
                 dialogue.ask(request, wire::Reply::kMoved, {attachments, ends}, step_caller(known)));
    close_all(ends);
    fill(result, answer.reply.moved());
    return 0;
  });
}

int sockswap_park(sockswap_handle* s, const int* fds, size_t count, const void* state, size_t state_size,
                  char ticket[SOCKSWAP_TICKET_SIZE]) {
  return with_dialogue(s, [&](Dialogue& dialogue) -> Result<int> {
    if (ticket == nullptr) return failure(ErrorCode::usage, "no room for the ticket was given");
    SOCKSWAP_TRY(const ByteView luggage, check_state(state, state_size));
    SOCKSWAP_CHECK(check_sockets(fds, count));

    wire::Request request = dialogue.request();
    request.mutable_park();
    const std::array attachments{luggage};
    const std::span ends(fds, count);
    SOCKSWAP_TRY(const Incoming answer, dialogue.ask(request, wire::Reply::kParked, {attachments, ends}));
    const std::string& secret = answer.reply.parked().ticket();
    if (secret.empty() || secret.size() >= SOCKSWAP_TICKET_SIZE)
      return failure(ErrorCode::in_doubt, "the daemon has parked the ends, but its ticket is malformed",
                     "see `sockswap moves`");
    close_all(ends);
    std::memcpy(ticket, secret.c_str(), secret.size() + 1);
    return 0;
  });
}

int sockswap_decline(sockswap_handle* s, const sockswap_event* event, const char* reason) {
  return with_dialogue(s, [&](Dialogue& dialogue) -> Result<int> {
    if (event == nullptr || event->event.kind != Event::Kind::hand_over)
      return failure(ErrorCode::usage, "only a hand-over event can be declined");
    wire::Request request = dialogue.request();
    request.mutable_declined()->set_number(event->event.number);
    request.mutable_declined()->set_reason(reason != nullptr ? reason : "");
    SOCKSWAP_CHECK(dialogue.tell(request));
    return 0;
  });
}
