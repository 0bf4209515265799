// What the keeper does not do, whoever speaks for the daemon.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "fixture.h"
#include "support/tcp_pair.h"
#include "wire/encoder.h"

namespace sockswap::keeper {
namespace {

Endpoint endpoint(const char* text) { return Endpoint::parse(text).value(); }

ErrorCode reserve(keep::Client& client, const char* wanted, const char* remote) {
  static std::uint8_t last = 100;
  move::MoveId id{};
  id.octets[1] = ++last;
  const keep::Arriving arriving{.former = {endpoint("10.77.0.2:1"), endpoint("10.77.0.2:2")},
                                .family = AF_INET,
                                .wanted = endpoint(wanted),
                                .remote = endpoint(remote)};
  return code_of(client.reserve(id, std::span(&arriving, 1)));
}

TEST(Refusals, EndsLiveBetweenThisHostAndTheClusterOnly) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  EXPECT_EQ(reserve(client, "10.77.0.2:5000", "10.77.0.2:80"), ErrorCode::not_permitted) << "beta's address";
  EXPECT_EQ(reserve(client, "127.0.0.1:5000", "10.77.0.2:80"), ErrorCode::not_permitted)
      << "half on loopback";
  EXPECT_EQ(reserve(client, "10.77.0.1:5000", "192.0.2.7:80"), ErrorCode::not_permitted) << "a stranger's";
  EXPECT_EQ(reserve(client, "10.77.0.1:5000", "127.0.0.1:80"), ErrorCode::not_permitted)
      << "half on loopback";
  EXPECT_EQ(reserve(client, "127.0.0.1:0", "127.0.0.1:80"), ErrorCode::ok);
  // The address isn't configured here: what is refused is the route, not the pair.
  EXPECT_EQ(reserve(client, "10.77.0.1:5000", "10.77.0.2:80"), ErrorCode::unreachable);
}

TEST(Refusals, HostsTomlIsReadAgainWhenItHasChanged) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto file = keeper.folder() / "cluster" / "alpha" / "hosts.toml";
  EXPECT_EQ(reserve(client, "10.77.0.1:5000", "192.0.2.7:80"), ErrorCode::not_permitted);
  std::ofstream(file, std::ios::app) << "\n[hosts.gamma]\naddresses = [\"192.0.2.7\"]\n";
  EXPECT_EQ(reserve(client, "10.77.0.1:5000", "192.0.2.7:80"), ErrorCode::unreachable);
  std::ofstream(file, std::ios::app) << "nonsense";
  EXPECT_EQ(reserve(client, "10.77.0.1:5000", "192.0.2.7:80"), ErrorCode::unreachable) << "as it was";
}

TEST(Refusals, AStayingEndIsHeldForNoOtherPlace) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  const auto hold = [&](const char* local_address, const char* remote, std::uint16_t further = 0) {
    Move move(client, *program);
    move.find();
    move.freeze();
    Endpoint local = move.tuple.remote;
    local.address = Address::parse(local_address).value();
    local.port = static_cast<std::uint16_t>(local.port + further);
    const keep::FrozenMoving& end = move.frozen.front();
    const keep::Holding holding{.index = 0,
                                .moving = end.position,
                                .new_local = local,
                                .new_remote = endpoint(remote),
                                .in_flight = end.in_flight};
    const auto code = code_of(client.hold(move.id, keep::Arbiter::here, std::span(&holding, 1)));
    must(client.thaw_moving(move.id));
    return code;
  };
  EXPECT_EQ(hold("127.0.0.1", "192.0.2.7:80"), ErrorCode::not_permitted);
  EXPECT_EQ(hold("127.0.0.1", "10.77.0.2:80"), ErrorCode::not_permitted);
  EXPECT_EQ(hold("10.77.0.2", "10.77.0.2:80"), ErrorCode::not_permitted);
  EXPECT_EQ(hold("10.77.0.1", "10.77.0.2:80"), ErrorCode::unreachable);
  EXPECT_EQ(hold("127.0.0.1", "127.0.0.1:80", 1), ErrorCode::not_permitted) << "another port";
  EXPECT_EQ(talk_with(program->peer(), "as it was"), "as it was");
}

TEST(Refusals, StepsOutOfOrder) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  Move move(client, *program);
  EXPECT_EQ(code_of(client.swap(move.id)), ErrorCode::not_found);
  EXPECT_EQ(code_of(client.let_go(move.id, {}, 0)), ErrorCode::not_found);
  EXPECT_EQ(code_of(client.freeze_moving(move.id, {}, 1 << 20)), ErrorCode::not_found);
  move.find();
  EXPECT_EQ(code_of(client.swap(move.id)), ErrorCode::usage);
  EXPECT_EQ(code_of(client.resume(move.id)), ErrorCode::usage);
  EXPECT_EQ(code_of(client.forget(move.id)), ErrorCode::usage);
  move.reserve();
  EXPECT_EQ(code_of(client.let_go(move.id, {}, 0)), ErrorCode::usage);
  EXPECT_EQ(code_of(client.handed_over(move.id)), ErrorCode::usage);
  move.freeze();
  must(move.hold());
  EXPECT_EQ(code_of(client.resume(move.id)), ErrorCode::usage) << "its ends are frozen";
  EXPECT_EQ(code_of(client.forget(move.id)), ErrorCode::usage);
  move.rebuild();
  must(client.swap(move.id));
  must(client.resume(move.id));
  move.let_go();
  EXPECT_EQ(code_of(client.drop(move.id)), ErrorCode::usage) << "they are live";
  EXPECT_EQ(code_of(client.find(move.id, {})), ErrorCode::usage);
}

TEST(Refusals, AnImageThatIsNotTheReservedEnds) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  Move move(client, *program);
  move.freeze();
  const auto rebuild = [&](auto change) {
    move.reserve();
    google::protobuf::RepeatedPtrField<wire::Image> images;
    *images.Add() = move.frozen.front().image;
    std::vector<Bytes> queues{move.frozen.front().received, move.frozen.front().unsent};
    change(*images.Mutable(0), queues);
    const auto code = code_of(client.rebuild(move.id, images, queues));
    must(client.drop(move.id));
    return code;
  };
  EXPECT_EQ(rebuild([](wire::Image& image, auto&) { image.mutable_tuple()->mutable_local()->set_port(1); }),
            ErrorCode::disagreement);
  EXPECT_NE(rebuild([](wire::Image&, auto& queues) { queues[1].resize(5); }), ErrorCode::ok);
  EXPECT_NE(rebuild([](wire::Image&, auto& queues) { queues.pop_back(); }), ErrorCode::ok);
  EXPECT_EQ(rebuild([](wire::Image&, auto&) {}), ErrorCode::ok);
  must(client.thaw_moving(move.id));
}

TEST(Refusals, OnlyTcpThatIsEstablished) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  move::MoveId id{};
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const Fd one(ends[0]), two(ends[1]);
  EXPECT_NE(code_of(client.freeze_moving(id, std::span(ends, 1), 1 << 20)), ErrorCode::ok);
  EXPECT_EQ(code_of(client.check_moving(std::span(ends, 1), 0)), ErrorCode::not_movable);
  const keep::Sought nothing{.index = 0, .tuple = {endpoint("127.0.0.1:1"), endpoint("127.0.0.1:2")}};
  EXPECT_EQ(code_of(client.find(id, std::span(&nothing, 1))), ErrorCode::not_found);
  const std::vector<keep::Sought> many(251, nothing);
  EXPECT_EQ(code_of(client.find(id, many)), ErrorCode::too_large);
}

// Nobody can read its key, so it couldn't be made again.
TEST(Refusals, AConnectionWithAnMd5Key) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  process::Child program([](const process::World& world) {
    tcp_md5sig key{};
    socklen_t size = sizeof key.tcpm_addr;
    ::getpeername(world.socket, reinterpret_cast<sockaddr*>(&key.tcpm_addr), &size);
    key.tcpm_keylen = 3;
    std::memcpy(key.tcpm_key, "key", 3);
    const bool signs = ::setsockopt(world.socket, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key) == 0;
    world.say(signs ? "signs" : "can't");
    for (;;) ::pause();
  });
  if (program.next_line() != "signs") GTEST_SKIP() << "TCP_MD5SIG: not in this kernel";
  const Move move(client, program);
  const keep::Sought sought{.index = 0, .tuple = move.tuple.flipped()};
  EXPECT_EQ(code_of(client.find(move.id, std::span(&sought, 1))), ErrorCode::not_movable);
}

// Whatever comes instead of a request ends the connection, and never the keeper.
TEST(Refusals, GarbageEndsTheConnectionOnly) {
  KeeperProcess keeper;
  keeper.connect();
  wire::keeper::Request unwelcome;
  unwelcome.mutable_list_kept();
  Bytes frames;
  wire::encode(frames, unwelcome.SerializeAsString());
  const std::string before_hello(text_of(frames));
  for (const std::string& garbage : {
           std::string("garbage!"), std::string(8, '\xff'), before_hello,
           std::string("\0\0\0\6\1\0\0\0\0\0\0\0\xff\xff", 14),  // no protobuf
           std::string("\0\0\0\4\1\7\0\0\0\0\0\0", 12),          // descriptors that don't come
           std::string("\x10\0\0\0\1\0\0\0", 8),                 // a message of 256 MiB
       }) {
    const Fd fd = keeper.connect_raw();
    ASSERT_EQ(::send(fd.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(garbage.size()));
    char byte = 0;
    EXPECT_LE(::recv(fd.get(), &byte, 1, 0), 0);
    ASSERT_TRUE(keeper.running());
  }
  must(keeper.connect().inventory());
}

// Half a request doesn't keep the hold limit from coming.
TEST(Refusals, HalfARequestBlocksNothing) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper({"--hold-limit", "100"});
  const auto program = echoing_program();
  {
    keep::Client client = keeper.connect();
    Move move(client, *program);
    move.find();
    move.reserve();
    move.freeze();
    must(move.hold());
  }
  const Fd fd = keeper.connect_raw();
  ASSERT_EQ(::send(fd.get(), "\0\0", 2, MSG_NOSIGNAL), 2);
  program->await_progress();
}

}  // namespace
}  // namespace sockswap::keeper
