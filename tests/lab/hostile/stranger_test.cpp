// A host that has no part in a move, and knows its id all the same: it says everything to everybody for as
// long as the move takes.
#include <gmock/gmock.h>

#include <future>

#include "lab/hostile/everything.h"
#include "lab/hostile/fixture.h"

namespace sockswap::test {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto link_delay = 700ms;
#else
constexpr auto link_delay = 300ms;
#endif

class Stranger : public Hostile {
 protected:
  // The id of beta's move; empty while there is none.
  static std::optional<move::MoveId> move_under_way() {
    const nlohmann::json move = last_move("beta");
    if (move.is_null() || move["state"] == "finished" || move["state"] == "undone") return std::nullopt;
    const std::string hex = move["move_id"];
    move::MoveId id;
    for (std::size_t i = 0; i < id.octets.size(); ++i)
      id.octets[i] = static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
    return id;
  }
  void say_everything_of(const ForgedMove& move) {
    for (const Saying& saying : everything(move)) mallory->say(saying);
    mallory->hear_all_out();
  }
};

TEST_F(Stranger, IsNotHeardInAMove) {
  Talk talk = this->talk();
  Talk own = talk_with_mallory(1);  // the forged images are of this
  Client there = client("gamma");
  there.register_receiver("test");
  // The move takes so long that there is something to be said at every stage of it.
  ASSERT_TRUE(host("gamma").set_link({.delay = link_delay}));
  auto moved =
      std::async(std::launch::async, [&] { return what_moving_says(talk.fd(), "beta", "gamma", "test"); });
  std::optional<move::MoveId> id;
  for (int i = 0; i < 200 && !id; ++i) id = move_under_way();
  ASSERT_TRUE(id);
  ForgedMove forged(*mallory, own.fd());
  forged.go_by(*id);
  int times = 0;
  for (; moved.wait_for(5ms) == std::future_status::timeout; ++times) say_everything_of(forged);
  EXPECT_GE(times, 2) << "the control: it was heard out while the move was under way";
  const Failure said = moved.get();
  EXPECT_EQ(said.code(), SOCKSWAP_OK) << said.what();
  say_everything_of(forged);
  ASSERT_TRUE(host("gamma").set_link({}));
  (void)talk.fd().release();
  talk.fd() = arrived(there);
  EXPECT_FALSE(there.next(200ms)) << "arrived twice";
  talk.go_on_to_the_end();
  own.go_on_to_the_end();
}

// A session has one Hello; the second ends it, and nothing else.
TEST_F(Stranger, GreetsTwice) {
  Talk talk = talk_with_mallory(2);
  mallory->say({"alpha", mesh::RawPeer::hello("mallory")});
  const auto heard = mallory->hear("alpha");
  ASSERT_TRUE(heard);
  EXPECT_TRUE(heard->has_goodbye());
  mallory->dial(host("alpha"));
  talk.go_on_to_the_end();
}

}  // namespace
}  // namespace sockswap::test
