// Four hosts, of which mallory was taken over. What every test here asserts in the end: nothing of the other
// hosts' stands still or is kept, their connections go on, byte for byte, and they move.
#pragma once

#include <thread>

#include "lab/faults/left_behind.h"
#include "lab/hostile/forged_move.h"
#include "lab/refusals.h"

namespace sockswap::test {

class Hostile : public Refusals {
 protected:
  static void SetUpTestSuite() { use(lab::Topology::bridge, {"alpha", "beta", "gamma", "mallory"}); }

  void SetUp() override {
    Refusals::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(cluster().kill_daemon("mallory"));
    mallory.emplace(host("mallory"));
    for (const char* victim : {"alpha", "beta", "gamma"}) mallory->dial(host(victim));
  }
  void TearDown() override {
    if (!mallory) return;
    expect_unharmed();
    mallory.reset();
    ASSERT_TRUE(cluster().start_daemon("mallory"));
  }

  // A connection of alpha's stayer with mallory.
  static Talk talk_with_mallory(std::size_t pieces) {
    Talk out{
        connect("alpha", "mallory", true, false, false, {.send = pieces * piece, .receive = pieces * piece}),
        pieces};
    out.go_on();
    return out;
  }

  // Takes what has arrived for `receiver`, which is registered.
  static Fd arrived(Client& receiver) {
    auto event = receiver.next(Mallory::patience);
    if (!event || !std::holds_alternative<Arrival>(*event)) throw std::runtime_error("no arrival");
    return Fd(std::get<Arrival>(*event).take_fd());
  }

  static void expect_nothing_left_behind() {
    for (const char* victim : {"alpha", "beta", "gamma"}) {
      std::vector<std::string> left;
      for (int i = 0; i < 400 && (i == 0 || !left.empty()); ++i) {
        if (i != 0) std::this_thread::sleep_for(std::chrono::milliseconds(25));
        left = faults::left_behind(host(victim));
      }
      EXPECT_EQ(left, std::vector<std::string>());
    }
  }
  static void expect_unharmed() {
    expect_nothing_left_behind();
    Talk others = talk();
    others.fd() = move(std::move(others.fd()), "beta", "gamma", "somebody-else");
    others.go_on_to_the_end();
  }

  std::optional<Mallory> mallory;
};

}  // namespace sockswap::test
