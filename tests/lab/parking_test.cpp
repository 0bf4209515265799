// "I have moved": ends that were left with the daemon come to where their program now is.
#include "lab/fixture.h"

namespace sockswap::test {
namespace {

class ParkedEnds : public LabTest {
 protected:
  static constexpr std::size_t half = 300'000;
};

TEST_F(ParkedEnds, FollowTheirProgram) {
  auto [stayer, fd] = connect("alpha", "beta", false, false, false, {.send = 2 * half, .receive = 2 * half});
  receive_ramp(fd, 0, half);
  send_ramp(fd, 0, half);
  std::string ticket;
  {
    Client leaving = client("beta");
    ticket = leaving.park(fd.release(), std::string("what I know"));
  }  // the program is gone; the daemon holds the end
  Client arrived = client("gamma");
  Arrival arrival = arrived.have_moved(ticket);
  EXPECT_EQ(arrival.state().text(), "what I know");
  EXPECT_STREQ(arrival.from(), "beta");
  const Fd here(arrival.take_fd());
  receive_ramp(here, half, half);
  send_ramp(here, half, half);
  finish_writing(here);
  expect_end(here);
  EXPECT_EQ(stayer.verdict(2 * half, 2 * half), "");
}

TEST_F(ParkedEnds, ComeBackToOneThatNeverLeft) {
  auto [stayer, fd] = connect("alpha", "beta", true, true, false, {.send = half, .receive = half});
  Client program = client("beta");
  Arrival arrival = program.have_moved(program.park(fd.release()));
  const Fd here(arrival.take_fd());
  receive_ramp(here, 0, half);
  send_ramp(here, 0, half);
  finish_writing(here);
  expect_end(here);
  EXPECT_EQ(stayer.verdict(half, half), "");
}

TEST_F(ParkedEnds, ATicketServesOnceAndOnlyIfItIsOne) {
  auto [stayer, fd] = connect("alpha", "beta", true, false, false, {.receive = 1});
  const std::string ticket = client("beta").park(fd.release());
  const auto refusal = [&](const std::string& shown) {
    try {
      client("gamma").have_moved(shown);
    } catch (const Failure& failure) {
      return failure.code();
    }
    return SOCKSWAP_OK;
  };
  EXPECT_EQ(refusal("nonsense"), SOCKSWAP_USAGE);
  EXPECT_EQ(refusal("delta/00000000000000000000000000000000"), SOCKSWAP_UNKNOWN_HOST);
  EXPECT_EQ(refusal("beta/00000000000000000000000000000000"), SOCKSWAP_NOT_FOUND);
  EXPECT_EQ(refusal(ticket), SOCKSWAP_OK);
  EXPECT_EQ(refusal(ticket), SOCKSWAP_NOT_FOUND) << "a second time";
}

}  // namespace
}  // namespace sockswap::test
