// A move in which nothing fails, and what strangers and stragglers can't do to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "trio.h"

namespace sockswap::move::test {
namespace {

using ::testing::IsEmpty;

std::ptrdiff_t when(const Trio& trio, const std::string& event) {
  return std::ranges::find(trio.history, event) - trio.history.begin();
}

TEST(Move, EndsAtTheDestination) {
  Trio trio;
  trio.run();
  EXPECT_TRUE(trio.whole_at_destination());
  EXPECT_TRUE(trio.concluded);
  EXPECT_FALSE(trio.outcome);
  EXPECT_THAT(trio.violations, IsEmpty());
}

TEST(Move, GoesInTheOrderOfTheSpecification) {
  Trio trio;
  trio.run();
  const char* order[] = {"origin -> destination: offer",
                         "origin -> peer: find",
                         "origin: step agreed",
                         "origin -> peer: hold",
                         "origin -> destination: deliver",
                         "origin -> peer: swap",
                         "peer -> destination: swapped",
                         "destination -> origin: activated"};
  for (std::size_t i = 1; i < std::size(order); ++i)
    EXPECT_LT(when(trio, order[i - 1]), when(trio, order[i])) << order[i - 1] << " comes before " << order[i];
  EXPECT_LT(when(trio, order[7]), static_cast<std::ptrdiff_t>(trio.history.size())) << "all of it happened";
}

TEST(Move, ALongStateGoesAheadOfTheFreeze) {
  Trio trio({.state_bytes = 1 << 20});
  trio.run();
  EXPECT_TRUE(trio.whole_at_destination());
  EXPECT_THAT(trio.violations, IsEmpty());
  EXPECT_LT(when(trio, "destination -> origin: state taken"), when(trio, "origin: step agreed"));
  Trio brief({.state_bytes = 1000});
  brief.run();
  EXPECT_EQ(when(brief, "origin -> destination: state"), static_cast<std::ptrdiff_t>(brief.history.size()))
      << "a short one costs no round trip";
}

TEST(Move, ADryRunFreezesNothingAndLeavesEverything) {
  Trio trio({.dry_run = true});
  trio.watch = [&](const std::string&) { EXPECT_EQ(trio.moving, Moving::live); };
  trio.run();
  EXPECT_TRUE(trio.whole_at_origin());
  EXPECT_TRUE(trio.concluded);
  EXPECT_FALSE(trio.outcome);
  EXPECT_THAT(trio.violations, IsEmpty());
  Trio refused({.failing_action = "find", .dry_run = true});
  refused.run();
  ASSERT_TRUE(refused.outcome);
  EXPECT_EQ(refused.outcome->message, "find failed");
}

TEST(Move, NothingIsFrozenWhileAnybodyMayStillRefuse) {
  for (const char* action : {"reserve", "find"}) {
    Trio trio({.failing_action = action});
    trio.watch = [&](const std::string&) { EXPECT_EQ(trio.moving, Moving::live); };
    trio.run();
    EXPECT_TRUE(trio.whole_at_origin()) << action;
    ASSERT_TRUE(trio.outcome) << action;
    EXPECT_EQ(trio.outcome->message, std::string(action) + " failed");
    EXPECT_THAT(trio.violations, IsEmpty());
  }
}

// Each message of the move, said by a host that has no part in it.
TEST(Move, StrangersAreNotHeard) {
  Trio trio;
  for (const char* to : {"origin", "destination", "peer"}) {
    for (int field : {12, 13, 15, 17, 19, 20, 21, 22, 23, 25}) {
      wire::Message message = trio.blank();
      switch (field) {
        case 12: message.mutable_found(); break;
        case 13: message.mutable_accept(); break;
        case 15: message.mutable_held(); break;
        case 17: message.mutable_ready(); break;
        case 19: message.mutable_swapped(); break;
        case 20: message.mutable_activate(); break;
        case 21: message.mutable_activated(); break;
        case 22: message.mutable_forget(); break;
        case 23: message.mutable_undo(); break;
        default: message.mutable_refuse(); break;
      }
      trio.inject("stranger", to, message);
    }
  }
  trio.run();
  EXPECT_TRUE(trio.whole_at_destination());
  EXPECT_THAT(trio.violations, IsEmpty());
}

// It would have ends of others closed that are whole.
TEST(Move, OnlyWhoHasPartInAnEndCallsItLost) {
  wire::Offer offer;
  for (const char* peer : {"one", "another"}) offer.add_ends()->set_peer(peer);
  Destination destination({}, "origin", offer);
  wire::Message deliver, swapped;
  deliver.mutable_deliver();
  for (const std::uint32_t index : {0, 1, 2}) swapped.mutable_swapped()->add_lost()->set_index(index);
  destination.start();
  destination.on_reserved({{}, {}});
  destination.on_message("origin", deliver);
  destination.on_rebuilt();
  destination.on_message("one", swapped);
  swapped.mutable_swapped()->clear_lost();
  std::optional<LostEnds> lost;
  for (const auto& action : destination.on_message("another", swapped))
    if (const auto* let_go = std::get_if<action::LetGo>(&action)) lost = let_go->lost;
  ASSERT_TRUE(lost) << "both have swapped";
  EXPECT_EQ(lost->size(), 1U);
  EXPECT_TRUE(lost->contains(0));
}

// A destination that believed in an early Activate would send into a reset.
TEST(Move, EverythingTwiceDoesNoHarm) {
  Trio trio;
  trio.watch = [&, echoing = false](const std::string& event) mutable {
    if (echoing || event != "origin -> peer: swap") return;
    echoing = true;
    wire::Message swap = trio.blank();
    swap.mutable_swap();
    trio.inject("origin", "peer", swap);
    trio.inject("origin", "peer", swap);
  };
  trio.run();
  EXPECT_TRUE(trio.whole_at_destination());
  EXPECT_THAT(trio.violations, IsEmpty());
}

// Shows that the checks of the trio can fail: the order that this protocol avoids.
TEST(Move, TheTrioNoticesAnActivateBeforeTheSwap) {
  Trio trio;
  trio.watch = [&](const std::string& event) {
    if (event != "origin -> peer: swap") return;
    wire::Message activate = trio.blank();
    activate.mutable_activate();
    trio.inject("origin", "destination", activate);
  };
  trio.run();
  EXPECT_THAT(trio.violations, ::testing::Contains(::testing::HasSubstr("meets a reset")));
}

}  // namespace
}  // namespace sockswap::move::test
