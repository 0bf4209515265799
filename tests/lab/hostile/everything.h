// Every message that hosts can say of a move, each to every host: what somebody says who has no plan.
#pragma once

#include <vector>

#include "lab/hostile/forged_move.h"

namespace sockswap::test {

inline std::vector<Saying> everything(const ForgedMove& move) {
  std::vector<wire::Message> messages;
  const auto add = [&](auto fill) {
    wire::Message message = move.message();
    fill(message);
    messages.push_back(std::move(message));
  };
  constexpr wire::Role roles[] = {wire::NO_ROLE, wire::ORIGIN, wire::DESTINATION, wire::PEER};
  add([](auto& m) { m.mutable_accept(); });
  add([](auto& m) { m.mutable_found(); });
  add([](auto& m) { m.mutable_held(); });
  add([](auto& m) { m.mutable_state_taken(); });
  add([](auto& m) { m.mutable_ready(); });
  add([](auto& m) { m.mutable_swapped(); });
  add([](auto& m) { m.mutable_swapped()->add_lost(); });
  add([](auto& m) { m.mutable_activate(); });
  add([](auto& m) { m.mutable_activated(); });
  add([](auto& m) { m.mutable_activated()->add_lost(); });
  add([](auto& m) { m.mutable_state(); });
  add([](auto& m) { m.mutable_undo(); });
  add([](auto& m) { m.mutable_doubt(); });
  for (const wire::Role role : roles) {
    add([&](auto& m) { m.mutable_refuse()->set_by(role); });
    add([&](auto& m) { m.mutable_undone()->set_by(role); });
    add([&](auto& m) { m.mutable_unknown()->set_by(role); });
    add([&](auto& m) { m.mutable_ask()->set_of(role); });
    add([&](auto& m) { m.mutable_waiting()->set_by(role); });
  }
  add([](auto&) {});  // no body at all
  for (const bool with_id : {false, true}) {
    add([&](auto& m) {
      if (!with_id) m.clear_move_id();
      m.mutable_fetch()->set_ticket("00112233445566778899aabbccddeeff");
      m.mutable_fetch()->set_receiver("test");
    });
    add([&](auto& m) {
      if (!with_id) m.clear_move_id();
      m.mutable_fetch_refused()->set_receiver("test");
    });
  }
  add([](auto& m) {
    m.set_move_id("15 bytes of id.");
    m.mutable_undo();
  });

  std::vector<Saying> out;
  for (const char* to : {"alpha", "beta", "gamma"}) {
    for (const wire::Message& message : messages) out.push_back({.to = to, .message = message});
    for (const Step step : {Step::offer, Step::find, Step::hold, Step::deliver, Step::swap, Step::forget}) {
      Saying saying = move.honest(step);
      saying.to = to;
      out.push_back(std::move(saying));
    }
  }
  return out;
}

}  // namespace sockswap::test
