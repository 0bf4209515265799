// What one user's programs may have at the daemon, at the limit and beyond it; nobody else is kept out.
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "daemon/quotas.h"
#include "lab/fixture.h"

namespace sockswap::test {
namespace {

constexpr uid_t nobody = 65534;

// Connects as that user: SO_PEERCRED is taken then. The user of this one thread only.
Client client_of(lab::Host& host, uid_t user) {
  return host.inside([&] {
    ::syscall(SYS_setresuid, -1, user, -1);
    Client client("/run/sockswap/control.sock");
    ::syscall(SYS_setresuid, -1, 0, -1);
    return client;
  });
}

template <class Call>
sockswap_error code_of(Call call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure.code();
  }
  return SOCKSWAP_OK;
}

using Quota = LabTest;

TEST_F(Quota, NamesOfOneProgram) {
  Client program = client_of(host("beta"), nobody);
  for (std::size_t i = 0; i < daemon::quota::names; ++i) program.register_receiver("n" + std::to_string(i));
  EXPECT_EQ(code_of([&] { program.register_receiver("one-more"); }), SOCKSWAP_NO_RESOURCES);
  EXPECT_EQ(code_of([&] { client("beta").register_receiver("one-more"); }), SOCKSWAP_OK);
}

TEST_F(Quota, ConnectionsOfOneUser) {
  std::vector<Client> clients;
  for (std::size_t i = 0; i < daemon::quota::programs; ++i)
    clients.push_back(client_of(host("gamma"), nobody));
  clients.back().register_receiver("the-last");
  Client beyond = client_of(host("gamma"), nobody);
  EXPECT_EQ(code_of([&] { beyond.register_receiver("beyond"); }), SOCKSWAP_NO_DAEMON);
  EXPECT_EQ(code_of([&] { client("gamma").register_receiver("roots"); }), SOCKSWAP_OK);
  clients.pop_back();
  // The daemon hears of a closed one soon.
  sockswap_error again = SOCKSWAP_NO_DAEMON;
  for (int i = 0; i < 100 && again != SOCKSWAP_OK; ++i) {
    again = code_of([&] { client_of(host("gamma"), nobody).register_receiver("again"); });
    ::usleep(10'000);
  }
  EXPECT_EQ(again, SOCKSWAP_OK);
}

TEST_F(Quota, StateThatOneUserParks) {
  const std::uint16_t port = next_port();
  const Fd listener = listen_on("beta", {host("beta").v4(), port});
  Client program = client_of(host("beta"), nobody);
  const std::string half(daemon::quota::parked_state / 2, 's');
  std::vector<Fd> others;
  const auto park = [&](Client& by, std::string_view state) {
    others.push_back(connect_from("alpha", {host("beta").v4(), port}));
    return code_of([&] { (void)by.park(accept_from(listener).release(), state); });
  };
  EXPECT_EQ(park(program, half), SOCKSWAP_OK);
  EXPECT_EQ(park(program, half), SOCKSWAP_OK);
  EXPECT_EQ(park(program, "x"), SOCKSWAP_NO_RESOURCES);
  Client root = client("beta");
  EXPECT_EQ(park(root, "x"), SOCKSWAP_OK);
}

// One connection's, again and again: what is counted is descriptors.
TEST_F(Quota, EndsThatOneUserParks) {
  constexpr std::size_t at_once = 128;
  static_assert(daemon::quota::parked_ends % at_once == 0);
  const std::uint16_t port = next_port();
  const Fd listener = listen_on("beta", {host("beta").v4(), port});
  const Fd other = connect_from("alpha", {host("beta").v4(), port});
  const Fd end = accept_from(listener);
  Client program = client_of(host("beta"), nobody - 1);  // what the test above parks stays parked
  const auto park = [&](Client& by, std::size_t count) {
    std::vector<int> fds;
    for (std::size_t i = 0; i < count; ++i) fds.push_back(end.duplicate().release());
    return code_of([&] { (void)by.park(fds); });
  };
  for (std::size_t parked = 0; parked < daemon::quota::parked_ends; parked += at_once)
    ASSERT_EQ(park(program, at_once), SOCKSWAP_OK) << parked;
  EXPECT_EQ(park(program, 1), SOCKSWAP_NO_RESOURCES);
  Client root = client("beta");
  EXPECT_EQ(park(root, 1), SOCKSWAP_OK);
}

}  // namespace
}  // namespace sockswap::test
