// What the tests of refusals share: a connection that talks before and after, and the error in between.
#pragma once

#include "lab/fixture.h"

namespace sockswap::test {

class Refusals : public LabTest {
 protected:
  static constexpr std::size_t piece = 200'000;

  // A connection, alpha's stayer and beta's moving end, that says `pieces` times as much each way.
  struct Talk {
    Connected connected;
    std::size_t pieces, said = 0;

    Fd& fd() { return connected.moving; }
    void go_on() {
      receive_ramp(fd(), said * piece, piece);
      send_ramp(fd(), said * piece, piece);
      ++said;
    }
    void go_on_to_the_end() {
      while (said < pieces) go_on();
      finish_writing(fd());
      expect_end(fd());
      EXPECT_EQ(connected.stayer.verdict(pieces * piece, pieces * piece), "");
    }
  };
  // Its first piece has been said.
  static Talk talk(const std::string& calls = "timeout", std::size_t pieces = 2) {
    Talk out{connect("alpha", "beta", true, false, false,
                     {.calls = calls, .send = pieces * piece, .receive = pieces * piece}),
             pieces};
    out.go_on();
    return out;
  }

  // What moving it says, with SOCKSWAP_OK if it moves.
  static Failure what_moving_says(const Fd& fd, const std::string& from, const std::string& to,
                                  const std::string& receiver, const MoveOptions& options = {}) {
    try {
      client(from).move(fd.get(), to, receiver, {}, options);
    } catch (const Failure& failure) {
      EXPECT_FALSE(std::string(failure.what()).empty());
      EXPECT_EQ(std::string(failure.what()).find('\n'), std::string::npos) << "one line";
      EXPECT_FALSE(failure.hint().empty()) << failure.what();
      return failure;
    }
    return {SOCKSWAP_OK, "", ""};
  }
  static sockswap_error refusal(const Fd& fd, const std::string& to, const std::string& receiver,
                                const MoveOptions& options = {}) {
    return what_moving_says(fd, "beta", to, receiver, options).code();
  }

  // The latest move in which that host has a part, as `sockswap moves` shows it.
  static nlohmann::json last_move(const std::string& on) {
    const Said said = sockswap(on, {"moves"});
    EXPECT_EQ(said.status(), 0) << said.output.err;
    return said.json["moves"].empty() ? nlohmann::json() : said.json["moves"].back();
  }
  static bool reached(const nlohmann::json& move, const std::string& step) {
    for (const nlohmann::json& one : move["steps"])
      if (one["name"] == step) return true;
    return false;
  }
};

}  // namespace sockswap::test
