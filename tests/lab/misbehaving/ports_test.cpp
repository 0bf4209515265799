// The place of an end is taken by somebody else in the midst of a move.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "scene.h"

namespace sockswap::test {
namespace {

class TakenPlace : public Misbehaving {
 protected:
  // A connection of that host's that has these ends, without a segment: repair mode lets bind() share any
  // port.
  Fd take(const std::string& role, const Endpoint& local, const Endpoint& remote) {
    return host(role).inside([&] {
      Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const int on = 1;
      sockaddr_storage address{};
      bool done = ::setsockopt(fd.get(), IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0;
      socklen_t size = local.to_sockaddr(AF_INET, address);
      done = done && ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0;
      size = remote.to_sockaddr(AF_INET, address);
      done = done && ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0;
      if (!done) throw std::runtime_error(system_error(errno, "take a place").text());
      return fd;
    });
  }
  Endpoint arriving_end() { return {host("destination").v4(), moving_end().port}; }

  void expect_undone_until_it_is_free(Fd taken, const std::string& why) {
    const std::string told = await_outcome();
    EXPECT_TRUE(told.starts_with("undone ")) << told;
    EXPECT_NE(told.find(why), std::string::npos) << told;
    taken.reset();
    go();
    EXPECT_EQ(await_outcome(), "moved");
    await_word(talk().receiving, "arrived");
    expect_whole(talk().receiving);
    expect_settled();
    expect_another_move();
  }
};

TEST_F(TakenPlace, AtTheDestinationBetweenReserveAndRebuild) {
  begin({"destination:reserved"});
  go();
  await_trap("destination");
  Fd taken = take("destination", arriving_end(), staying_end());
  release("destination");
  expect_undone_until_it_is_free(std::move(taken), "rebuild");
}

TEST_F(TakenPlace, AtThePeerBetweenFoundAndHold) {
  begin({"peer:found"});
  go();
  await_trap("peer");
  Fd taken = take("peer", staying_end(), arriving_end());
  release("peer");
  expect_undone_until_it_is_free(std::move(taken), "no-resources: ");
}

// After the commit there is no way back: the honest error, at both ends.
TEST_F(TakenPlace, AtThePeerBetweenHeldAndSwap) {
  begin({"peer:held"});
  go();
  await_trap("peer");
  Fd taken = take("peer", staying_end(), arriving_end());
  release("peer");
  expect_outcome("lost ");
  expect_hears_the_end(talk().staying);
  talk().receiving.listen();
  EXPECT_FALSE(talk().receiving.said("arrived"));
  taken.reset();
  expect_settled();
  expect_another_move();
}

}  // namespace
}  // namespace sockswap::test
