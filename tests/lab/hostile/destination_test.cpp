// A destination that lies, or says nothing: the origin's ends and the staying ones are where they were, and
// nobody stands still for it.
#include <gmock/gmock.h>

#include <future>

#include "lab/hostile/fixture.h"
#include "wire/endpoints.h"

namespace sockswap::test {
namespace {

using ::testing::HasSubstr;

class LyingDestination : public Hostile {
 protected:
  using Answer = std::function<void(const wire::Message& offer)>;

  // What beta's program hears that wants its end moved to mallory, which hears the Offer and answers.
  Failure answered(Talk& talk, const Answer& answer) {
    auto moved = std::async(std::launch::async,
                            [&] { return what_moving_says(talk.fd(), "beta", "mallory", "test"); });
    answer(mallory->await("beta", {wire::Message::kOffer}));
    return moved.get();
  }
  static wire::Message of(const wire::Message& offer) {
    wire::Message out;
    out.set_move_id(offer.move_id());
    return out;
  }
  void accept(const wire::Message& offer, const std::vector<Endpoint>& locals) {
    wire::Message accept = of(offer);
    accept.mutable_accept();
    for (const Endpoint& local : locals) wire::to_message(local, *accept.mutable_accept()->add_locals());
    mallory->say({"beta", accept});
  }
  Endpoint at(const Address& address) const { return {address, 4321}; }
};

// Nor does it ever say Undone: the connection may be moved again all the same.
TEST_F(LyingDestination, AcceptsWhatItHasNot) {
  Talk talk = this->talk("timeout", 7);
  const auto refused = [&](const char* what, sockswap_error code, const Answer& answer) {
    SCOPED_TRACE(what);
    const Failure said = answered(talk, answer);
    EXPECT_EQ(said.code(), code) << said.what();
    EXPECT_FALSE(reached(last_move("alpha"), "paused"));
    talk.go_on();
  };
  refused("no end", SOCKSWAP_DISAGREEMENT, [&](const wire::Message& offer) { accept(offer, {}); });
  refused("two ends", SOCKSWAP_DISAGREEMENT, [&](const wire::Message& offer) {
    accept(offer, {at(host("mallory").v4()), at(host("mallory").v4())});
  });
  refused("another host's address", SOCKSWAP_NOT_PERMITTED,
          [&](const wire::Message& offer) { accept(offer, {at(host("gamma").v4())}); });
  refused("a stranger's", SOCKSWAP_NOT_PERMITTED,
          [&](const wire::Message& offer) { accept(offer, {at(Address::parse("192.0.2.7").value())}); });
  refused("no address", SOCKSWAP_USAGE, [&](const wire::Message& offer) {
    wire::Message accept = of(offer);
    accept.mutable_accept()->add_locals();
    mallory->say({"beta", accept});
  });
  talk.go_on_to_the_end();
}

// Of what it says before its time nothing is believed; its Refuse is.
TEST_F(LyingDestination, SaysThatItIsDoneBeforeItHasBegun) {
  Talk talk = this->talk();
  const Failure said = answered(talk, [&](const wire::Message& offer) {
    const auto say = [&](auto fill) {
      wire::Message message = of(offer);
      fill(message);
      for (const char* to : {"beta", "alpha"}) mallory->say({to, message});
    };
    say([](auto& m) { m.mutable_found(); });
    say([](auto& m) { m.mutable_held(); });
    say([](auto& m) { m.mutable_state_taken(); });
    say([](auto& m) { m.mutable_ready(); });
    say([](auto& m) { m.mutable_swapped(); });
    say([](auto& m) { m.mutable_activated(); });
    say([](auto& m) { m.mutable_swap(); });
    say([](auto& m) { m.mutable_hold(); });
    say([](auto& m) { m.mutable_forget(); });
    mallory->hear_all_out();
    EXPECT_EQ(last_move("beta")["state"], "asking");
    EXPECT_EQ(last_move("alpha")["state"], "found");
    say([](auto& m) {
      m.mutable_refuse()->set_by(wire::DESTINATION);
      m.mutable_refuse()->mutable_error()->set_code(SOCKSWAP_NOT_FOUND);
      m.mutable_refuse()->mutable_error()->set_message("not today\x1b[2J");
      m.mutable_refuse()->mutable_error()->set_hint("tomorrow");
    });
  });
  EXPECT_EQ(said.code(), SOCKSWAP_NOT_FOUND);
  EXPECT_THAT(said.what(), HasSubstr("not today"));
  talk.go_on_to_the_end();
}

// Frozen ends wait for it 3 s and no longer.
TEST_F(LyingDestination, FallsSilentWhenAllAreFrozen) {
  Talk talk = this->talk();
  const Failure said =
      answered(talk, [&](const wire::Message& offer) { accept(offer, {at(host("mallory").v4())}); });
  EXPECT_EQ(said.code(), SOCKSWAP_TIMED_OUT) << said.what();
  EXPECT_TRUE(reached(last_move("beta"), "frozen")) << "the control";
  talk.go_on_to_the_end();
}

}  // namespace
}  // namespace sockswap::test
