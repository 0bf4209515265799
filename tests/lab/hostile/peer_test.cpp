// A peer that lies about the staying end, which is its own host's.
#include <gmock/gmock.h>

#include <future>

#include "lab/hostile/fixture.h"

namespace sockswap::test {
namespace {

// The whole of a stream between two sockets that are both ours.
void expect_both_ways(const Fd& one, const Fd& other) {
  send_ramp(one, 0, 10'000);
  receive_ramp(other, 0, 10'000);
  send_ramp(other, 0, 10'000);
  receive_ramp(one, 0, 10'000);
}

class LyingPeer : public Hostile {
 protected:
  void SetUp() override {
    Hostile::SetUp();
    if (IsSkipped()) return;
    const Endpoint here{host("mallory").v4(), next_port()};
    const Fd listener = listen_on("mallory", here);
    moving = connect_from("beta", here);
    staying = accept_from(listener);
    there.emplace(client("gamma"));
    there->register_receiver("test");
  }
  void TearDown() override {
    there.reset();
    moving.reset();
    staying.reset();
    Hostile::TearDown();
  }

  // Says that it has found the end, and with what it was asked to hold says what `lie` makes of a Held that
  // agrees.
  Failure held_as(const std::function<void(wire::Held&)>& lie) {
    auto moved =
        std::async(std::launch::async, [&] { return what_moving_says(moving, "beta", "gamma", "test"); });
    const wire::Message find = mallory->await("beta", {wire::Message::kFind});
    wire::Message answer;
    answer.set_move_id(find.move_id());
    answer.mutable_found();
    mallory->say({"beta", answer});
    const wire::Message hold = mallory->await("beta", {wire::Message::kHold});
    const wire::Position& other = hold.hold().ends(0).moving();
    wire::Held::End& end = *answer.mutable_held()->add_ends();
    end.mutable_staying()->set_snd_una(other.rcv_nxt());
    end.mutable_staying()->set_snd_nxt(other.rcv_nxt());
    end.mutable_staying()->set_write_end(other.rcv_nxt());
    end.mutable_staying()->set_rcv_nxt(other.snd_nxt());
    lie(*answer.mutable_held());
    mallory->say({"beta", answer});
    asked_to_swap = mallory->await("beta", {wire::Message::kUndo, wire::Message::kSwap}).has_swap();
    answer.mutable_undone()->set_by(wire::PEER);
    mallory->say({"beta", answer});
    return moved.get();
  }

  Fd moving, staying;
  bool asked_to_swap = false;
  std::optional<Client> there;
};

TEST_F(LyingPeer, AboutWhatItHolds) {
  const auto refused = [&](const char* what, const std::function<void(wire::Held&)>& lie) {
    SCOPED_TRACE(what);
    const Failure said = held_as(lie);
    EXPECT_EQ(said.code(), SOCKSWAP_DISAGREEMENT) << said.what();
    EXPECT_FALSE(asked_to_swap);
    EXPECT_TRUE(reached(last_move("beta"), "thawed"));
    expect_both_ways(moving, staying);
  };
  const auto staying_of = [](wire::Held& held) -> wire::Position& {
    return *held.mutable_ends(0)->mutable_staying();
  };
  refused("nothing", [](wire::Held& held) { held.clear_ends(); });
  refused("another end", [](wire::Held& held) { held.mutable_ends(0)->set_index(1); });
  refused("an end twice", [](wire::Held& held) { *held.add_ends() = held.ends(0); });
  refused("no position", [](wire::Held& held) { held.mutable_ends(0)->clear_staying(); });
  refused("received what was never sent",
          [&](wire::Held& held) { staying_of(held).set_rcv_nxt(staying_of(held).rcv_nxt() + 1); });
  refused("received less than was acknowledged",
          [&](wire::Held& held) { staying_of(held).set_rcv_nxt(staying_of(held).rcv_nxt() - 1); });
  refused("sent less than was received", [&](wire::Held& held) {
    staying_of(held).set_snd_una(staying_of(held).snd_una() - 1);
    staying_of(held).set_snd_nxt(staying_of(held).snd_nxt() - 1);
  });
  refused("half of all numbers",
          [&](wire::Held& held) { staying_of(held).set_snd_una(staying_of(held).snd_una() + (1U << 31)); });
}

// The control: what agrees is believed, and it is asked to swap.
TEST_F(LyingPeer, NotAtAllAndThenUndoes) {
  const Failure said = held_as([](wire::Held&) {});
  EXPECT_TRUE(asked_to_swap);
  EXPECT_EQ(said.code(), SOCKSWAP_TIMED_OUT) << said.what();
  expect_both_ways(moving, staying);
}

// Before it is asked to, to the origin: the origin has not decided, and is not committed by it.
TEST_F(LyingPeer, SwapsBeforeItIsAsked) {
  auto moved =
      std::async(std::launch::async, [&] { return what_moving_says(moving, "beta", "gamma", "test"); });
  const wire::Message find = mallory->await("beta", {wire::Message::kFind});
  wire::Message answer;
  answer.set_move_id(find.move_id());
  answer.mutable_swapped();
  for (const char* to : {"beta", "gamma"}) mallory->say({to, answer});
  mallory->hear_all_out();
  EXPECT_EQ(last_move("beta")["state"], "asking");
  EXPECT_FALSE(reached(last_move("gamma"), "letting go"));
  answer.mutable_refuse()->set_by(wire::PEER);
  answer.mutable_refuse()->mutable_error()->set_code(SOCKSWAP_BUSY);
  answer.mutable_refuse()->mutable_error()->set_message("so be it");
  answer.mutable_refuse()->mutable_error()->set_hint("never mind");
  mallory->say({"beta", answer});
  EXPECT_EQ(moved.get().code(), SOCKSWAP_BUSY);
  expect_both_ways(moving, staying);
}

}  // namespace
}  // namespace sockswap::test
