// The arbiter has forgotten the move: whom the origin asks, and what they promise. A move with three peers,
// of which the first is the arbiter; each machine by itself, as its daemon finds it in the journal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "move/destination.h"
#include "move/origin.h"
#include "move/peer.h"
#include "trio.h"
#include "wire/endpoints.h"

namespace sockswap::move::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const MoveId id = MoveId::from_bytes("sixteen bytes id").value();

wire::Message said() {
  wire::Message message;
  message.set_move_id(id.bytes());
  return message;
}
wire::Message unknown(wire::Role by) {
  wire::Message message = said();
  message.mutable_unknown()->set_by(by);
  return message;
}
wire::Message undone(wire::Role by) {
  wire::Message message = said();
  message.mutable_undone()->set_by(by);
  return message;
}
wire::Message waiting(wire::Role by, bool swapped = false) {
  wire::Message message = said();
  message.mutable_waiting()->set_by(by);
  message.mutable_waiting()->set_swapped(swapped);
  return message;
}
wire::Message swapped() {
  wire::Message message = said();
  message.mutable_swapped();
  return message;
}
wire::Message swap_ends() {
  wire::Message message = said();
  message.mutable_swap();
  return message;
}
wire::Message doubt() {
  wire::Message message = said();
  message.mutable_doubt();
  return message;
}
wire::Message ask(wire::Role of) {
  wire::Message message = said();
  message.mutable_ask()->set_of(of);
  return message;
}

// "destination: undo", in the order in which it is said.
template <class Action>
std::vector<std::string> sayings(const std::vector<Action>& actions) {
  std::vector<std::string> out;
  for (const Action& action : actions) {
    const auto* send = std::get_if<action::Send>(&action);
    if (send == nullptr) continue;
    out.push_back(send->to + ": " + kind(send->message));
  }
  return out;
}
template <class Wanted, class Action>
bool has(const std::vector<Action>& actions) {
  for (const Action& action : actions)
    if (std::holds_alternative<Wanted>(action)) return true;
  return false;
}

wire::Offer offer() {
  wire::Offer offer;
  const char* peers[] = {"arbiter", "left", "right"};
  for (int i = 0; i < 3; ++i) {
    wire::Offer::End& end = *offer.add_ends();
    const Endpoint local = Endpoint::parse("10.0.0.1:" + std::to_string(1000 + i)).value();
    const Endpoint remote = Endpoint::parse("10.0.1." + std::to_string(i + 1) + ":80").value();
    wire::to_message(FourTuple{local, remote}, *end.mutable_tuple());
    wire::to_message(remote, *end.mutable_remote());
    end.set_family(4);
    end.set_peer(peers[i]);
  }
  return offer;
}

// Asked the arbiter, which answers that it knows of no such move.
Origin doubting() {
  JournalRecord freezing = record_of(id), deciding = record_of(id);
  freezing.mutable_origin_freezing()->set_destination("destination");
  *freezing.mutable_origin_freezing()->mutable_offer() = offer();
  deciding.mutable_origin_deciding();
  Origin origin = Origin::restore({freezing, deciding}).value();
  EXPECT_THAT(sayings(origin.resume()), ElementsAre("arbiter: swap"));
  EXPECT_THAT(sayings(origin.on_message("arbiter", unknown(wire::PEER))),
              UnorderedElementsAre("left: doubt", "right: doubt", "destination: doubt"));
  return origin;
}

TEST(Doubt, NobodyIsToldToUndoBeforeAllHaveSaidThatTheyWait) {
  Origin origin = doubting();
  EXPECT_THAT(origin.on_message("left", waiting(wire::PEER)), IsEmpty());
  EXPECT_THAT(sayings(origin.on_timer()), UnorderedElementsAre("right: doubt", "destination: doubt"));
  EXPECT_THAT(origin.on_message("destination", waiting(wire::DESTINATION)), IsEmpty());
  const auto actions = origin.on_message("right", waiting(wire::PEER));
  EXPECT_THAT(sayings(actions),
              UnorderedElementsAre("arbiter: undo", "left: undo", "right: undo", "destination: undo"));
  EXPECT_TRUE(has<action::ThawMoving>(actions));
}

TEST(Doubt, OnePeerThatHasSwappedIsTheCommit) {
  Origin origin = doubting();
  origin.on_message("left", waiting(wire::PEER));
  const auto actions = origin.on_message("right", swapped());
  EXPECT_THAT(sayings(actions), ElementsAre("left: swap"));
  EXPECT_TRUE(has<action::ReleaseMoving>(actions));
  EXPECT_FALSE(has<action::ThawMoving>(actions));
}

TEST(Doubt, SoIsADestinationThatHasHeardOfOne) {
  Origin origin = doubting();
  const auto actions = origin.on_message("destination", waiting(wire::DESTINATION, true));
  EXPECT_THAT(sayings(actions), UnorderedElementsAre("left: swap", "right: swap"));
  EXPECT_TRUE(has<action::ReleaseMoving>(actions));
}

// The record comes first: with it a killed daemon goes on, even if the arbiter's host has lost power by then.
TEST(Doubt, TheCommitIsWrittenBeforeAnotherPeerHearsOfIt) {
  Origin origin = doubting();
  const auto actions = origin.on_message("right", swapped());
  ASSERT_FALSE(actions.empty());
  const auto* write = std::get_if<action::Write>(&actions.front());
  ASSERT_NE(write, nullptr);
  EXPECT_TRUE(write->record.has_origin_committed());
}

TEST(Doubt, APeerThatWaitsProvesThatAForgetfulDestinationWasNeverLive) {
  Origin origin = doubting();
  origin.on_message("left", waiting(wire::PEER));
  origin.on_message("right", unknown(wire::PEER));
  EXPECT_TRUE(has<action::ThawMoving>(origin.on_message("destination", unknown(wire::NO_ROLE))));
}

TEST(Doubt, WithoutOneItMayHaveBeenLive) {
  Origin origin = doubting();
  origin.on_message("left", unknown(wire::PEER));
  origin.on_message("right", unknown(wire::NO_ROLE));
  const auto actions = origin.on_message("destination", unknown(wire::DESTINATION));
  EXPECT_FALSE(has<action::ThawMoving>(actions));
  EXPECT_TRUE(has<action::ReleaseMoving>(actions));
  EXPECT_EQ(origin.state(), Origin::State::finished);
}

TEST(Doubt, ADestinationThatHasUndoneItIsEnough) {
  Origin origin = doubting();
  origin.on_message("left", unknown(wire::PEER));
  origin.on_message("right", unknown(wire::PEER));
  EXPECT_TRUE(has<action::ThawMoving>(origin.on_message("destination", undone(wire::DESTINATION))));
}

TEST(Doubt, WhoHasNoPartIsNotCounted) {
  Origin origin = doubting();
  origin.on_message("left", waiting(wire::DESTINATION, true));
  origin.on_message("destination", waiting(wire::PEER));
  origin.on_message("arbiter", waiting(wire::PEER));
  EXPECT_THAT(sayings(origin.on_timer()),
              UnorderedElementsAre("left: doubt", "right: doubt", "destination: doubt"));
}

Peer held() {
  JournalRecord holding = record_of(id), held = record_of(id);
  holding.mutable_peer_holding()->set_origin("origin");
  holding.mutable_peer_holding()->set_arbiter("arbiter");
  holding.mutable_peer_holding()->mutable_find()->set_destination("destination");
  held.mutable_peer_held();
  return Peer::restore("left", {holding, held}).value();
}

TEST(Doubt, AHeldPeerThatHasPromisedSwapsOnTheOriginsWordAlone) {
  Peer peer = held();
  EXPECT_THAT(sayings(peer.on_message("origin", doubt())), ElementsAre("origin: waiting"));
  EXPECT_THAT(peer.on_message("arbiter", swap_ends()), IsEmpty());
  EXPECT_THAT(peer.on_message("destination", swap_ends()), IsEmpty());
  EXPECT_TRUE(has<action::SwapEnds>(peer.on_message("origin", swap_ends())));
}

TEST(Doubt, WithoutThePromiseItBelievesTheArbiter) {
  Peer peer = held();
  EXPECT_THAT(peer.on_message("right", doubt()), IsEmpty()) << "not the origin";
  EXPECT_TRUE(has<action::SwapEnds>(peer.on_message("arbiter", swap_ends())));
}

TEST(Doubt, ThePromiseEndsWithTheOriginsMemory) {
  Peer peer = held();
  peer.on_message("origin", doubt());
  peer.on_message("origin", unknown(wire::ORIGIN));
  EXPECT_TRUE(has<action::SwapEnds>(peer.on_message("destination", swap_ends())));
}

Destination ready() {
  JournalRecord reserved = record_of(id), ready = record_of(id);
  reserved.mutable_destination_reserved()->set_origin("origin");
  *reserved.mutable_destination_reserved()->mutable_offer() = offer();
  ready.mutable_destination_ready();
  return Destination::restore({reserved, ready}).value();
}

TEST(Doubt, ADestinationTellsNobodyOfASwapThatTheOriginHasNotCounted) {
  Destination destination = ready();
  EXPECT_THAT(sayings(destination.on_message("origin", doubt())), ElementsAre("origin: waiting"));
  destination.on_message("arbiter", swapped());  // said before its power went, and on its way since
  EXPECT_THAT(destination.on_message("left", ask(wire::DESTINATION)), IsEmpty());
  destination.on_message("left", swapped());
  EXPECT_THAT(destination.on_message("right", swapped()), IsEmpty()) << "nor does it go live by itself";
  wire::Message activate = said();
  activate.mutable_activate();
  EXPECT_TRUE(has<action::LetGo>(destination.on_message("origin", activate)));
}

TEST(Doubt, WithoutThePromiseItTellsWhoAsks) {
  Destination destination = ready();
  destination.on_message("arbiter", swapped());
  EXPECT_THAT(sayings(destination.on_message("left", ask(wire::DESTINATION))), ElementsAre("left: swap"));
  destination.on_message("left", swapped());
  EXPECT_TRUE(has<action::LetGo>(destination.on_message("right", swapped())));
}

TEST(Doubt, ADestinationThatKnowsOfASwapSaysSo) {
  Destination destination = ready();
  destination.on_message("arbiter", swapped());
  const auto actions = destination.on_message("origin", doubt());
  ASSERT_THAT(sayings(actions), ElementsAre("origin: waiting"));
  EXPECT_TRUE(std::get<action::Send>(actions.front()).message.waiting().swapped());
}

// It acts in the origin's place then, and what it has heard counts again.
TEST(Doubt, TheDestinationsPromiseEndsWithTheOriginsMemory) {
  Destination destination = ready();
  destination.on_message("origin", doubt());
  for (const char* peer : {"arbiter", "left", "right"}) destination.on_message(peer, swapped());
  EXPECT_TRUE(has<action::LetGo>(destination.on_message("origin", unknown(wire::ORIGIN))));
}

}  // namespace
}  // namespace sockswap::move::test
