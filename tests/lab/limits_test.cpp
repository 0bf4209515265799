// How many ends one move may have: as many as that work, and one more is refused and left where it was. And
// for whom they are: the program that was registered, whoever has its name by then.

#include <thread>

#include "lab/refusals.h"
#include "wire/parcel.h"

namespace sockswap::test {
namespace {

class Limits : public Refusals {
 protected:
  static constexpr std::size_t most_ends = wire::Limits{}.descriptors;

  // A program on alpha that answers on every connection, and the other ends, on beta.
  struct Echo {
    lab::Process process;
    std::vector<Fd> ends;

    std::vector<int> numbers() const {
      std::vector<int> out;
      for (const Fd& end : ends) out.push_back(end.get());
      return out;
    }
    // Each end hears its own words.
    void expect_answers() const {
      for (std::size_t i = 0; i < ends.size(); ++i) {
        send_ramp(ends[i], i, 100);
        receive_ramp(ends[i], i, 100);
      }
    }
  };
  static Echo echo(std::size_t ends) {
    const std::uint16_t port = next_port();
    lab::Process process =
        host("alpha").spawn({.argv = {ECHO, std::to_string(port)}, .out = lab::Stdio::pipe()}).value();
    EXPECT_EQ(process.read_line().value().value_or("nothing"), "listening");
    Echo out{std::move(process), {}};
    for (std::size_t i = 0; i < ends; ++i)
      out.ends.push_back(connect_from("beta", {host("alpha").v4(), port}));
    out.expect_answers();
    return out;
  }
};

TEST_F(Limits, EndsOfOneMove) {
  Echo echo = this->echo(most_ends + 1);
  Client there = client("gamma");
  there.register_receiver("test");
  Client here = client("beta");
  try {
    (void)here.move(echo.numbers(), "gamma", "test");
    FAIL() << "251 are moved";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), SOCKSWAP_TOO_LARGE) << failure.what();
  }
  echo.expect_answers();
  const Fd last = std::move(echo.ends.back());
  echo.ends.pop_back();
  (void)here.move(echo.numbers(), "gamma", "test");
  for (Fd& end : echo.ends) (void)end.release();  // the move has closed it
  echo.ends.clear();
  auto event = there.next(std::chrono::seconds(20));
  ASSERT_TRUE(event);
  auto& arrival = std::get<Arrival>(*event);
  ASSERT_EQ(arrival.count(), most_ends);
  for (std::size_t i = 0; i < most_ends; ++i) echo.ends.emplace_back(arrival.take_fd(i));
  echo.expect_answers();
}

TEST_F(Limits, AReceiversNameIsItsAsLongAsItLives) {
  Talk talk = this->talk();
  std::optional<Client> there = client("gamma");
  there->register_receiver("test");
  Client other = client("gamma");
  const auto code = [&] {
    try {
      other.register_receiver("test");
    } catch (const Failure& failure) {
      return failure.code();
    }
    return SOCKSWAP_OK;
  };
  EXPECT_EQ(code(), SOCKSWAP_BUSY);
  EXPECT_EQ(what_moving_says(talk.fd(), "beta", "gamma", "test").code(), SOCKSWAP_OK);
  (void)talk.fd().release();
  auto event = there->next(std::chrono::seconds(10));
  ASSERT_TRUE(event) << "another program got them";
  talk.fd() = Fd(std::get<Arrival>(*event).take_fd());
  there.reset();
  sockswap_error later = SOCKSWAP_BUSY;
  for (int i = 0; i < 200 && later == SOCKSWAP_BUSY; ++i) {  // the daemon hears of the first one's end soon
    later = code();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(later, SOCKSWAP_OK);
  talk.go_on_to_the_end();
}

// The ends are for the program that was registered when they were offered. It ends, and another takes its
// name, while a peer has still to answer.
TEST_F(Limits, AReceiversNameIsntItsHeirs) {
  Talk talk = this->talk("timeout", 3);
  std::optional<Client> there = client("gamma");
  there->register_receiver("test");
  std::optional<Client> heir;
  ASSERT_TRUE(host("alpha").set_link({.delay = std::chrono::milliseconds(300)}));
  const Failure said =
      what_moving_says(talk.fd(), "beta", "gamma", "test", {.progress = [&](const char* step, double) {
                         if (std::string_view(step) != "asked") return;
                         for (int i = 0; i < 200 && last_move("gamma")["state"] != "waiting"; ++i)
                           std::this_thread::sleep_for(std::chrono::milliseconds(2));
                         there.reset();
                         heir.emplace(client("gamma"));
                         for (int i = 0; i < 200; ++i) {
                           try {
                             heir->register_receiver("test");
                             return;
                           } catch (const Failure&) {  // the daemon hears of the first one's end soon
                             std::this_thread::sleep_for(std::chrono::milliseconds(2));
                           }
                         }
                       }});
  ASSERT_TRUE(host("alpha").set_link({}));
  EXPECT_EQ(said.code(), SOCKSWAP_RECEIVER_GONE) << said.what();
  ASSERT_TRUE(heir);
  EXPECT_FALSE(heir->next(std::chrono::milliseconds(300))) << "it was handed another's ends";
  talk.go_on();
  heir.reset();
  talk.fd() = move(std::move(talk.fd()), "beta", "gamma", "somebody-else");
  talk.go_on_to_the_end();
}

}  // namespace
}  // namespace sockswap::test
