// An origin that says everything at every stage of its own move, and then all of it again. What doesn't fit
// is ignored or answered with no: nothing is done early, late or twice.
#include <gmock/gmock.h>

#include <algorithm>

#include "lab/hostile/everything.h"
#include "lab/hostile/fixture.h"

namespace sockswap::test {
namespace {

using Body = wire::Message::BodyCase;

// What the origin is entitled to say there at that stage, so that it would have an effect.
bool fits(const Saying& saying, Step next) {
  const Body body = saying.message.body_case();
  if (body == Body::kUndo) return true;
  if (body == Body::kUnknown) return saying.message.unknown().by() == wire::ORIGIN;
  const bool to_peer = saying.to == "alpha", to_destination = saying.to == "gamma";
  switch (next) {
    case Step::offer: return (to_destination && body == Body::kOffer) || (to_peer && body == Body::kFind);
    case Step::find:
      return (to_peer && body == Body::kFind) ||
             (to_destination && (body == Body::kState || body == Body::kDeliver));
    case Step::hold:
      return (to_peer && body == Body::kHold) ||
             (to_destination && (body == Body::kState || body == Body::kDeliver));
    case Step::deliver:
      return (to_peer && body == Body::kSwap) ||
             (to_destination && (body == Body::kState || body == Body::kDeliver));
    case Step::swap:
      return (to_peer && body == Body::kSwap) ||
             (to_destination && (body == Body::kActivate || body == Body::kDoubt));
    case Step::forget: return body == Body::kForget;
  }
  return false;
}

class Disorderly : public Hostile {
 protected:
  // What the victims have said to it.
  std::vector<wire::Message> say_all(const std::vector<Saying>& sayings,
                                     const std::function<bool(const Saying&)>& but) {
    for (const Saying& saying : sayings)
      if (!but(saying)) mallory->say(saying);
    std::vector<wire::Message> heard;
    for (const char* victim : {"alpha", "beta", "gamma"})
      for (wire::Message& message : mallory->hear_out(victim)) heard.push_back(std::move(message));
    return heard;
  }
  static std::size_t parts_of(const std::string& on) { return sockswap(on, {"moves"}).json["moves"].size(); }
};

TEST_F(Disorderly, EverythingAtEveryStage) {
  Talk talk = talk_with_mallory(3);
  Client there = client("gamma");
  there.register_receiver("test");
  ForgedMove move(*mallory, talk.fd());
  move.before = [&](Step next) {
    const auto heard = say_all(everything(move), [&](const Saying& saying) { return fits(saying, next); });
    // Answers that promise, or say that something was done: of these only what is said again.
    for (const wire::Message& message : heard) {
      const Body body = message.body_case();
      EXPECT_FALSE(body == Body::kAccept || body == Body::kFound || body == Body::kHeld ||
                   body == Body::kReady || body == Body::kStateTaken)
          << "before step " << static_cast<int>(next) << ": " << body;
      const bool done = body == Body::kSwapped || body == Body::kActivated;
      EXPECT_FALSE(done && next < Step::forget) << static_cast<int>(next);
    }
  };
  const auto refusal = move.run();
  ASSERT_FALSE(refusal) << refusal->text;
  talk.fd() = arrived(there);
  talk.go_on_to_the_end();
}

TEST_F(Disorderly, EverythingAgainWhenItIsOver) {
  Talk talk = talk_with_mallory(5);
  Client there = client("gamma");
  there.register_receiver("test");
  ForgedMove move(*mallory, talk.fd());
  const auto refusal = move.run();
  ASSERT_FALSE(refusal) << refusal->text;
  talk.fd() = arrived(there);
  talk.go_on();
  mallory->hear_all_out();
  const std::size_t at_alpha = parts_of("alpha"), at_gamma = parts_of("gamma");
  const auto nothing = [](const Saying&) { return false; };
  std::vector<Saying> again = move.said();
  say_all(again, nothing);
  talk.go_on();
  std::ranges::reverse(again);
  say_all(again, nothing);
  talk.go_on();
  EXPECT_EQ(parts_of("alpha"), at_alpha) << "nothing has begun again";
  EXPECT_EQ(parts_of("gamma"), at_gamma);
  // The control: of a move that is new, the same Find begins a part, and ends it at once.
  ForgedMove fresh(*mallory, talk.fd());
  for (Saying& saying : again) {
    if (!saying.message.has_find()) continue;
    saying.message.set_move_id(fresh.message().move_id());
    mallory->say(saying);
  }
  mallory->hear_all_out();
  EXPECT_EQ(parts_of("alpha"), at_alpha + 1);
  talk.go_on_to_the_end();
}

TEST_F(Disorderly, EachMessageTwice) {
  Talk talk = talk_with_mallory(3);
  Client there = client("gamma");
  there.register_receiver("test");
  ForgedMove move(*mallory, talk.fd());
  move.before = [&](Step) {
    if (!move.said().empty()) mallory->say(move.said().back());
  };
  const auto refusal = move.run();
  ASSERT_FALSE(refusal) << refusal->text;
  talk.fd() = arrived(there);
  EXPECT_FALSE(there.next(std::chrono::milliseconds(200))) << "arrived twice";
  talk.go_on_to_the_end();
}

// What was true in an earlier move, said in a later one: the positions have gone on.
TEST_F(Disorderly, TheHoldOfAnEarlierMove) {
  Talk talk = talk_with_mallory(5);
  Client there = client("gamma");
  there.register_receiver("test");
  std::optional<Saying> earlier;
  {
    ForgedMove undone(*mallory, talk.fd());
    undone.forge = [&](wire::Message& message, std::vector<Bytes>& attachments) {
      if (message.has_hold()) earlier = Saying{"alpha", message, attachments};
      if (message.has_deliver()) message.mutable_deliver()->clear_images();
    };
    EXPECT_TRUE(undone.run());
  }
  ASSERT_TRUE(earlier);
  talk.go_on();
  ForgedMove later(*mallory, talk.fd());
  later.forge = [&](wire::Message& message, std::vector<Bytes>& attachments) {
    if (!message.has_hold()) return;
    *message.mutable_hold()->mutable_ends(0)->mutable_moving() = earlier->message.hold().ends(0).moving();
    attachments = earlier->attachments;
  };
  const auto refusal = later.run();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, static_cast<std::uint32_t>(SOCKSWAP_DISAGREEMENT)) << refusal->text;
  talk.go_on_to_the_end();
}

// Whoever says nothing more when the peer has promised: an arbiter's programs run again by themselves.
TEST_F(Disorderly, SilenceAfterTheHold) {
  Talk talk = talk_with_mallory(3);
  Client there = client("gamma");
  there.register_receiver("test");
  {
    ForgedMove move(*mallory, talk.fd());
    move.before = [&](Step next) {
      if (next != Step::deliver) return;
      EXPECT_EQ(last_move("alpha")["state"], "held") << "the control: it does stand still";
      for (int i = 0; i < 400 && last_move("alpha")["state"] != "undone"; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      throw std::runtime_error("silence");
    };
    EXPECT_THROW(move.run(), std::runtime_error);
  }
  EXPECT_EQ(last_move("alpha")["state"], "undone");
  talk.go_on_to_the_end();
}

}  // namespace
}  // namespace sockswap::test
