// A connection that begins on one host's loopback: its ends part, and meet again.
#include "lab/fixture.h"

namespace sockswap::test {
namespace {

class Loopback : public LabTest, public ::testing::WithParamInterface<bool> {};

// A move within the host must not tie either end to it: a bind() to 127.0.0.1 holds for a socket's life.
TEST_P(Loopback, AfterAMoveWithinTheHostItStillLeavesIt) {
  constexpr std::size_t part = 300'000;
  const std::uint16_t port = next_port();
  const std::string address = GetParam() ? "::1" : "127.0.0.1";
  const Fd listener = listen_on("alpha", {Address::parse(address).value(), port});
  Stayer stayer{host("alpha")
                    .spawn({.argv = {STAYER, "connect", address, std::to_string(port), "--send",
                                     std::to_string(4 * part), "--receive", std::to_string(4 * part)},
                            .in = lab::Stdio::pipe(),
                            .out = lab::Stdio::pipe(),
                            .err = lab::Stdio::pipe()})
                    .value()};
  Fd moving = accept_from(listener);
  std::size_t at = 0;
  const std::pair<const char*, const char*> hops[] = {
      {"alpha", "alpha"}, {"alpha", "beta"}, {"beta", "gamma"}, {"gamma", "alpha"}};
  for (const auto& [from, to] : hops) {
    moving = move(std::move(moving), from, to);
    send_ramp(moving, at, part);
    receive_ramp(moving, at, part);
    at += part;
  }
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(at, at), "");
}

INSTANTIATE_TEST_SUITE_P(Families, Loopback, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "v6" : "v4"; });

}  // namespace
}  // namespace sockswap::test
