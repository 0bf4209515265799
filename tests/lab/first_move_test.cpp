// One move in mid-stream, for each family and whichever side dialled.
#include "lab/fixture.h"
#include "support/ramp.h"

namespace sockswap::test {
namespace {

struct Case {
  const char* name;
  bool stayer_connects, v6, mapped;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class FirstMove : public LabTest, public ::testing::WithParamInterface<Case> {};

TEST_P(FirstMove, BothDirectionsGoOnByteForByte) {
  constexpr std::size_t half = 3'000'000;
  auto [stayer, moving] = connect("alpha", "beta", GetParam().stayer_connects, GetParam().v6,
                                  GetParam().mapped, {.send = 2 * half, .receive = 2 * half});
  receive_ramp(moving, 0, half);
  send_ramp(moving, 0, half);
  moving = move(std::move(moving), "beta", "gamma");
  receive_ramp(moving, half, half);
  send_ramp(moving, half, half);
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(2 * half, 2 * half), "");
}

using LongState = LabTest;

// It goes ahead of the freeze, and is whole on arrival.
TEST_F(LongState, ArrivesWhole) {
  constexpr std::size_t half = 300'000, state_size = 20'000'000;
  auto [stayer, moving] = connect("alpha", "beta", true, false, false, {.send = half, .receive = half});
  Client there = client("gamma"), here = client("beta");
  there.register_receiver("test");
  const Bytes state = ramp(0, state_size);
  std::vector<std::string> steps;
  here.move(moving.release(), "gamma", "test", {reinterpret_cast<const char*>(state.data()), state.size()},
            {.progress = [&](const char* step, double) { steps.emplace_back(step); }});
  EXPECT_EQ(steps[1], "bringing");
  auto event = there.next(std::chrono::seconds(10));
  ASSERT_TRUE(event);
  auto& arrival = std::get<Arrival>(*event);
  EXPECT_EQ(arrival.state().text().size(), state_size);
  EXPECT_EQ(ramp_matches(0, bytes_of(arrival.state().text())), state_size);
  moving = Fd(arrival.take_fd());
  send_ramp(moving, 0, half);
  receive_ramp(moving, 0, half);
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(half, half), "");
}

INSTANTIATE_TEST_SUITE_P(Lab, FirstMove,
                         ::testing::Values(Case{"v4_stayer_dials", true, false, false},
                                           Case{"v4_stayer_accepts", false, false, false},
                                           Case{"v6_stayer_dials", true, true, false},
                                           Case{"v6_stayer_accepts", false, true, false},
                                           Case{"mapped_stayer_dials", true, false, true},
                                           Case{"mapped_stayer_accepts", false, false, true}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace sockswap::test
