// `sockswap move` of a connection that the operator doesn't get: another user's, or one whose program
// declines or doesn't answer. The operator hears why, and the connection goes on.
#include <gmock/gmock.h>

#include "lab/refusals.h"

namespace sockswap::test {
namespace {

using ::testing::HasSubstr;

// A holder on beta, an unprivileged user's, and a stayer on alpha that dials it and hears its bytes again.
class HandOver : public Refusals {
 protected:
  static constexpr std::size_t total = 1'000'000;

  static lab::Process holder(const std::string& how, std::uint16_t port) {
    auto process = host("beta").spawn(
        {.argv = {HOLDER, std::to_string(port), how}, .out = lab::Stdio::pipe(), .user = nobody});
    if (!process) throw std::runtime_error(process.error().text());
    return *std::move(process);
  }
  static std::string line_of(lab::Process& process) {
    const auto line = process.read_line();
    return line && *line ? **line : "nothing";
  }

  // What the operator hears, who has a gamma that would take the connection.
  static Said refused(const std::string& how, const std::optional<lab::User>& user, const char* moves_error) {
    const std::uint16_t port = next_port();
    lab::Process holding = holder(how, port);
    EXPECT_EQ(line_of(holding), "listening");
    lab::Command command{.argv = {STAYER, "connect", host("beta").v4().text(), std::to_string(port), "--send",
                                  std::to_string(total), "--receive", std::to_string(total), "--write-late"}};
    command.in = command.out = command.err = lab::Stdio::pipe();
    Stayer stayer{host("alpha").spawn(command).value()};
    EXPECT_EQ(line_of(stayer.process), "connected");
    EXPECT_EQ(line_of(holding), "connected");
    Client there = client("gamma");
    there.register_receiver("holder");
    const Said list = sockswap("beta", {"ls"});
    const std::string connection = list.json["connections"][0]["connection"];
    Said said = sockswap("beta", {"move", connection, "--to", "gamma"}, user);
    EXPECT_EQ(said.json["error"]["name"], moves_error) << said.output.out;
    EXPECT_FALSE(there.next(std::chrono::milliseconds(0))) << "it has moved";
    EXPECT_TRUE(stayer.process.write("write\n"));
    EXPECT_EQ(stayer.verdict(total, total), "");
    return said;
  }
  static std::string message_of(const Said& said) { return said.json["error"]["message"]; }
  static std::string hint_of(const Said& said) { return said.json["error"]["hint"]; }
};

TEST_F(HandOver, OfAnotherUsersConnection) {
  const Said said = refused("declines", lab::User{65533, 65533}, "not-permitted");
  EXPECT_EQ(said.status(), SOCKSWAP_NOT_PERMITTED);
  EXPECT_THAT(message_of(said), HasSubstr("is another user's"));
  EXPECT_THAT(hint_of(said), HasSubstr("root"));
}

// The right comes with being its user, or root: these two reach the program, which has its own word.
TEST_F(HandOver, ThatItsUsersProgramDeclines) {
  const Said said = refused("declines", nobody, "not-permitted");
  EXPECT_EQ(said.status(), SOCKSWAP_NOT_PERMITTED);
  EXPECT_THAT(message_of(said), HasSubstr("the program declined: busy with a customer"));
  EXPECT_THAT(hint_of(said), HasSubstr("as it was"));
}

TEST_F(HandOver, ThatTheProgramDeclinesToRoot) {
  const Said said = refused("declines", {}, "not-permitted");
  EXPECT_THAT(message_of(said), HasSubstr("the program declined: busy with a customer"));
}

TEST_F(HandOver, ThatTheProgramNeverAnswers) {
  const Said said = refused("mute", {}, "timed-out");
  EXPECT_EQ(said.status(), SOCKSWAP_TIMED_OUT);
  EXPECT_THAT(message_of(said), HasSubstr("doesn't answer"));
  EXPECT_THAT(hint_of(said), HasSubstr("sockswap_next()"));
}

}  // namespace
}  // namespace sockswap::test
