// Receiving ends: sockswap_register(), sockswap_next(), sockswap_have_moved().
#include <memory>

#include "client/abi/arguments.h"
#include "client/abi/handle.h"

using namespace sockswap;
using namespace sockswap::client;

int sockswap_register(sockswap_handle* s, const char* receiver, unsigned flags) {
  return with_dialogue(s, [&](Dialogue& dialogue) -> Result<int> {
    SOCKSWAP_CHECK(check_name(receiver, "receiver"));
    if ((flags & ~SOCKSWAP_HANDS_OVER) != 0)
      return failure(ErrorCode::usage, "a flag that this version of libsockswap doesn't know");
    wire::Request request = dialogue.request();
    request.mutable_register_()->set_receiver(receiver);
    request.mutable_register_()->set_hands_over((flags & SOCKSWAP_HANDS_OVER) != 0);
    SOCKSWAP_CHECK(dialogue.ask(request, wire::Reply::kDone, {}));
    return 0;
  });
}

int sockswap_next(sockswap_handle* s, int timeout_ms, sockswap_event** out) {
  return with_dialogue(s, [&](Dialogue& dialogue) -> Result<int> {
    if (out == nullptr) return failure(ErrorCode::usage, "no place for the event was given");
    *out = nullptr;
    // Before the event leaves the queue: afterwards nothing may fail, or its ends would be lost.
    auto event = std::make_unique<sockswap_event>();
    const Deadline deadline = timeout_ms < 0    ? never
                              : timeout_ms == 0 ? at_once
                                                : after(std::chrono::milliseconds(timeout_ms));
    SOCKSWAP_TRY(std::optional<Event> next, dialogue.next_event(deadline));
    if (!next) return 0;
    event->event = std::move(*next);
    *out = event.release();
    return 1;
  });
}

int sockswap_have_moved(sockswap_handle* s, const char* ticket, sockswap_event** out) {
  return with_dialogue(s, [&](Dialogue& dialogue) -> Result<int> {
    if (out == nullptr) return failure(ErrorCode::usage, "no place for the arrival was given");
    *out = nullptr;
    if (ticket == nullptr || *ticket == '\0') return failure(ErrorCode::usage, "no ticket was given");
    auto event = std::make_unique<sockswap_event>();
    wire::Request request = dialogue.request();
    request.mutable_have_moved()->set_ticket(ticket);
    SOCKSWAP_TRY(Incoming answer, dialogue.ask(request, wire::Reply::kArrival, {}));
    SOCKSWAP_TRY(event->event, Event::from(std::move(answer)));
    *out = event.release();
    return 0;
  });
}
