// The demo's verdict: it holds only if everything does. (Its exit status is tested in
// tests/lab/demo_test.cpp.)
#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "demo/demo.h"

namespace sockswap::demo {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Transfer sound() {
  Transfer out;
  out.program = "socat";
  out.bytes_sent = out.bytes = 1000;
  out.sha256_sent = out.sha256_received = "5d0c";
  out.moves.push_back({.from = "beta",
                       .to = "gamma",
                       .at_bytes = 250,
                       .at_ms = 12,
                       .pause_ms = 1.5,
                       .frozen_ms = 1.1,
                       .steps = {{.name = "freezing", .at_us = 10}, {.name = "activated", .at_us = 1110}}});
  return out;
}

struct Fault {
  const char* name;
  std::function<void(Transfer&)> make;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class Verdict : public ::testing::TestWithParam<Fault> {};

TEST_P(Verdict, FailsByOneFault) {
  Transfer faulty = sound();
  ASSERT_TRUE(faulty.holds());
  GetParam().make(faulty);
  EXPECT_FALSE(faulty.holds());
  // Whether it is the first program's transfer or the last one's.
  for (const auto& transfers : {std::vector{faulty, sound()}, std::vector{sound(), faulty}}) {
    EXPECT_THAT(screen(transfers), HasSubstr("NOT everything holds"));
    EXPECT_EQ(Json::parse(json(transfers))["holds"], false);
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, Verdict,
                         ::testing::Values(Fault{"another_sum",
                                                 [](Transfer& with) { with.sha256_received = "5d0d"; }},
                                           Fault{"a_byte_short", [](Transfer& with) { --with.bytes; }},
                                           Fault{"a_byte_too_many", [](Transfer& with) { ++with.bytes; }},
                                           Fault{"a_packet_at_the_former_host",
                                                 [](Transfer& with) { with.packets_at_former_host = 1; }},
                                           Fault{"a_reset", [](Transfer& with) { with.resets = 1; }}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Report, OfWhatHolds) {
  EXPECT_THAT(screen({sound()}), Not(HasSubstr("NOT")));
  const Json out = Json::parse(json({sound()}));
  EXPECT_EQ(out["holds"], true);
  EXPECT_EQ(out["bytes"], 1000);
  EXPECT_EQ(out["sha256_sent"], "5d0c");
  EXPECT_EQ(out["sha256_received"], "5d0c");
  ASSERT_EQ(out["moves"].size(), 1u);
  EXPECT_EQ(out["moves"][0]["pause_ms"], 1.5);
  EXPECT_EQ(out["packets_at_former_host"], 0);
  EXPECT_EQ(out["rst"], 0);
}

TEST(Report, AddsUpWhatMustBeNought) {
  Transfer one = sound(), other = sound();
  one.packets_at_former_host = 1, one.resets = 2;
  other.packets_at_former_host = 3, other.resets = 4;
  const Json out = Json::parse(json({one, other}));
  EXPECT_EQ(out["packets_at_former_host"], 4);
  EXPECT_EQ(out["rst"], 6);
}

TEST(Report, OfNothingHoldsNothing) { EXPECT_EQ(Json::parse(json({}))["holds"], false); }

}  // namespace
}  // namespace sockswap::demo
