// An origin that lies: in where the ends are and go, in how many there are, in positions, bytes and images.
// Whoever is lied to refuses by name and has changed nothing; the same move without the lie is made.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "lab/hostile/fixture.h"
#include "wire/endpoints.h"

namespace sockswap::test {
namespace {

using Attachments = std::vector<Bytes>;

struct Lie {
  const char* what;
  std::function<void(wire::Message&, Attachments&)> tell;
  wire::Role refused_by;
  sockswap_error code;
};

void set(wire::Endpoint& endpoint, const Address& address) {
  const std::uint32_t port = endpoint.port();
  wire::to_message(Endpoint{address, static_cast<std::uint16_t>(port)}, endpoint);
}

class LyingOrigin : public Hostile {
 protected:
  // Tells each in a move of one connection's, which talks in between, and then moves it honestly.
  void tell(wire::Message::BodyCase in, const std::vector<Lie>& lies) {
    Talk talk = talk_with_mallory(lies.size() + 3);
    Client there = client("gamma");
    there.register_receiver("test");
    for (const Lie& lie : lies) {
      SCOPED_TRACE(lie.what);
      ForgedMove move(*mallory, talk.fd());
      move.forge = [&](wire::Message& message, Attachments& attachments) {
        if (message.body_case() == in) lie.tell(message, attachments);
      };
      const auto refusal = move.run();
      ASSERT_TRUE(refusal) << "it was believed";
      EXPECT_EQ(refusal->by, lie.refused_by);
      EXPECT_EQ(refusal->code, static_cast<std::uint32_t>(lie.code)) << refusal->text;
      EXPECT_NO_THROW(talk.go_on());
    }
    expect_nothing_left_behind();
    ForgedMove honest(*mallory, talk.fd());
    const auto refusal = honest.run();
    ASSERT_FALSE(refusal) << refusal->text;
    talk.fd() = arrived(there);
    talk.go_on_to_the_end();
  }

  const Address stranger = Address::parse("192.0.2.7").value();
};

TEST_F(LyingOrigin, InOffer) {
  const auto end = [](wire::Message& message) -> wire::Offer::End& {
    return *message.mutable_offer()->mutable_ends(0);
  };
  tell(wire::Message::kOffer,
       {{"to nobody", [&](auto& m, auto&) { m.mutable_offer()->set_receiver("nobody"); }, wire::DESTINATION,
         SOCKSWAP_UNKNOWN_RECEIVER},
        {"no end", [&](auto& m, auto&) { m.mutable_offer()->clear_ends(); }, wire::DESTINATION,
         SOCKSWAP_TOO_LARGE},
        {"251 ends",
         [&](auto& m, auto&) {
           for (int i = 1; i < 251; ++i) *m.mutable_offer()->add_ends() = m.offer().ends(0);
         },
         wire::DESTINATION, SOCKSWAP_TOO_LARGE},
        {"the other end at another host's address",
         [&](auto& m, auto&) { set(*end(m).mutable_remote(), host("beta").v4()); }, wire::DESTINATION,
         SOCKSWAP_NOT_PERMITTED},
        {"at a stranger's", [&](auto& m, auto&) { set(*end(m).mutable_remote(), stranger); },
         wire::DESTINATION, SOCKSWAP_NOT_PERMITTED},
        {"at a stranger's that is no host's",
         [&](auto& m, auto&) {
           set(*end(m).mutable_remote(), stranger);
           end(m).set_peer("nobody");
         },
         wire::DESTINATION, SOCKSWAP_NOT_PERMITTED},
        {"on the destination's loopback",
         [&](auto& m, auto&) { set(*end(m).mutable_remote(), Address::parse("127.0.0.1").value()); },
         wire::DESTINATION, SOCKSWAP_NOT_PERMITTED},
        {"no family", [&](auto& m, auto&) { end(m).set_family(5); }, wire::DESTINATION, SOCKSWAP_USAGE},
        {"an address of 5 bytes",
         [&](auto& m, auto&) { end(m).mutable_tuple()->mutable_local()->set_address("12345"); },
         wire::DESTINATION, SOCKSWAP_USAGE},
        {"a port beyond 65,535", [&](auto& m, auto&) { end(m).mutable_remote()->set_port(65'536); },
         wire::DESTINATION, SOCKSWAP_USAGE}});
}

TEST_F(LyingOrigin, InFind) {
  // Of the others: a connection that beta's host has the other end of.
  const Talk others = talk("timeout", 1);
  wire::FourTuple tuple_of_others;
  {
    const auto endpoint = [](const Fd& fd, auto query) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      EXPECT_EQ(query(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
      return Endpoint::from_sockaddr(address).value();
    };
    const Fd& fd = others.connected.moving;
    wire::to_message(FourTuple{endpoint(fd, ::getpeername), endpoint(fd, ::getsockname)}, tuple_of_others);
  }
  const auto end = [](wire::Message& message) -> wire::Find::End& {
    return *message.mutable_find()->mutable_ends(0);
  };
  tell(wire::Message::kFind,
       {{"another host's connection", [&](auto& m, auto&) { *end(m).mutable_tuple() = tuple_of_others; },
         wire::PEER, SOCKSWAP_NOT_PERMITTED},
        {"another host's beside its own",
         [&](auto& m, auto&) {
           wire::Find::End& second = *m.mutable_find()->add_ends();
           second.set_index(1);
           *second.mutable_tuple() = tuple_of_others;
         },
         wire::PEER, SOCKSWAP_NOT_PERMITTED},
        {"one on the peer's loopback",
         [&](auto& m, auto&) {
           set(*end(m).mutable_tuple()->mutable_remote(), Address::parse("127.0.0.1").value());
         },
         wire::PEER, SOCKSWAP_NOT_PERMITTED},
        {"one that isn't there",
         [&](auto& m, auto&) { end(m).mutable_tuple()->mutable_remote()->set_port(9); }, wire::PEER,
         SOCKSWAP_NOT_FOUND},
        {"one end twice",
         [&](auto& m, auto&) {
           *m.mutable_find()->add_ends() = m.find().ends(0);
           m.mutable_find()->mutable_ends(1)->set_index(1);
         },
         wire::PEER, SOCKSWAP_BUSY},
        {"no end", [&](auto& m, auto&) { m.mutable_find()->clear_ends(); }, wire::PEER, SOCKSWAP_USAGE},
        {"251 ends",
         [&](auto& m, auto&) {
           for (int i = 1; i < 251; ++i) *m.mutable_find()->add_ends() = m.find().ends(0);
         },
         wire::PEER, SOCKSWAP_TOO_LARGE},
        {"for no host of the cluster", [&](auto& m, auto&) { m.mutable_find()->set_destination("nobody"); },
         wire::PEER, SOCKSWAP_UNREACHABLE},
        {"an address of no bytes",
         [&](auto& m, auto&) { end(m).mutable_tuple()->mutable_remote()->clear_address(); }, wire::PEER,
         SOCKSWAP_USAGE}});
}

// The daemon's own check of the place: the keeper would re-point to any host of the cluster.
TEST_F(LyingOrigin, InWhereTheEndsAreToGo) {
  const auto end = [](wire::Message& message) -> wire::Hold::End& {
    return *message.mutable_hold()->mutable_ends(0);
  };
  tell(wire::Message::kHold,
       {{"to another host than was named",
         [&](auto& m, auto&) { set(*end(m).mutable_new_remote(), host("beta").v4()); }, wire::PEER,
         SOCKSWAP_NOT_PERMITTED},
        {"to the origin", [&](auto& m, auto&) { set(*end(m).mutable_new_remote(), host("mallory").v4()); },
         wire::PEER, SOCKSWAP_NOT_PERMITTED},
        {"to a stranger", [&](auto& m, auto&) { set(*end(m).mutable_new_remote(), stranger); }, wire::PEER,
         SOCKSWAP_NOT_PERMITTED},
        {"to the peer's loopback",
         [&](auto& m, auto&) { set(*end(m).mutable_new_remote(), Address::parse("127.0.0.1").value()); },
         wire::PEER, SOCKSWAP_NOT_PERMITTED},
        {"from another host's address",
         [&](auto& m, auto&) { set(*end(m).mutable_new_local(), host("beta").v4()); }, wire::PEER,
         SOCKSWAP_NOT_PERMITTED},
        {"from another port",
         [&](auto& m, auto&) { end(m).mutable_new_local()->set_port(end(m).new_local().port() + 1); },
         wire::PEER, SOCKSWAP_NOT_PERMITTED},
        {"to nowhere", [&](auto& m, auto&) { end(m).clear_new_remote(); }, wire::PEER, SOCKSWAP_USAGE}});
}

TEST_F(LyingOrigin, InPositionsAndBytes) {
  const auto moving = [](wire::Message& message) -> wire::Position& {
    return *message.mutable_hold()->mutable_ends(0)->mutable_moving();
  };
  const auto moved = [](std::uint32_t value, std::int64_t by) {
    return static_cast<std::uint32_t>(value + by);
  };
  // The stayer writes all the time: bytes of its own may be under way, or may not be acknowledged yet, and
  // one more or less could be true. This is more than either can be, and less than half of all numbers.
  constexpr std::int64_t far = 1 << 28;
  std::vector<Lie> lies{
      {"no end", [&](auto& m, Attachments& a) { m.mutable_hold()->clear_ends(), a.clear(); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"another end", [&](auto& m, auto&) { m.mutable_hold()->mutable_ends(0)->set_index(7); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"an end twice",
       [&](auto& m, Attachments& a) {
         *m.mutable_hold()->add_ends() = m.hold().ends(0);
         a.push_back(a.front());
       },
       wire::PEER, SOCKSWAP_DISAGREEMENT},
      {"no bytes in flight are said", [&](auto&, Attachments& a) { a.clear(); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"of two ends", [&](auto&, Attachments& a) { a.emplace_back(); }, wire::PEER, SOCKSWAP_DISAGREEMENT},
      {"a byte more in flight than was sent", [&](auto&, Attachments& a) { a[0].emplace_back(); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"a byte less", [&](auto& m, auto&) { moving(m).set_snd_nxt(moved(moving(m).snd_nxt(), 1)); },
       wire::PEER, SOCKSWAP_DISAGREEMENT},
      {"half of all numbers more",
       [&](auto& m, auto&) { moving(m).set_snd_nxt(moved(moving(m).snd_nxt(), 1ll << 31)); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"sent before it was acknowledged",
       [&](auto& m, auto&) { moving(m).set_snd_una(moved(moving(m).snd_una(), 1)); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"a gap in what was sent",
       [&](auto& m, Attachments& a) {
         // Behind all that the peer has received: bytes from 5 on, of which 10 are in flight.
         moving(m).set_snd_una(moved(moving(m).snd_nxt(), 5));
         moving(m).set_snd_nxt(moved(moving(m).snd_una(), 10));
         a[0].assign(10, std::byte{'x'});
       },
       wire::PEER, SOCKSWAP_DISAGREEMENT},
      {"acknowledged less than the peer has sent away",
       [&](auto& m, auto&) { moving(m).set_rcv_nxt(moved(moving(m).rcv_nxt(), -far)); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"received what was never sent",
       [&](auto& m, auto&) { moving(m).set_rcv_nxt(moved(moving(m).rcv_nxt(), far)); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"received half of all numbers",
       [&](auto& m, auto&) { moving(m).set_rcv_nxt(moved(moving(m).rcv_nxt(), 1ll << 31)); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT},
      {"no position", [&](auto& m, auto&) { m.mutable_hold()->mutable_ends(0)->clear_moving(); }, wire::PEER,
       SOCKSWAP_DISAGREEMENT}};
  tell(wire::Message::kHold, lies);
}

TEST_F(LyingOrigin, InImages) {
  const auto image = [](wire::Message& message) -> wire::Image& {
    return *message.mutable_deliver()->mutable_images(0);
  };
  const auto position = [&](wire::Message& message) -> wire::Position& {
    return *image(message).mutable_position();
  };
  const auto refused = [](const char* what, std::function<void(wire::Message&, Attachments&)> told,
                          sockswap_error code = SOCKSWAP_DISAGREEMENT) {
    return Lie{what, std::move(told), wire::DESTINATION, code};
  };
  tell(
      wire::Message::kDeliver,
      {refused("no image", [&](auto& m, auto&) { m.mutable_deliver()->clear_images(); }),
       refused("an image more", [&](auto& m, auto&) { *m.mutable_deliver()->add_images() = image(m); }),
       refused("no state", [&](auto&, Attachments& a) { a.pop_back(); }),
       refused("nothing attached", [&](auto&, Attachments& a) { a.clear(); }),
       refused("another state than was offered", [&](auto&, Attachments& a) { a.back().resize(1); }),
       refused("a queue more", [&](auto&, Attachments& a) { a.insert(a.begin(), Bytes()); }),
       refused("of another 4-tuple than was offered",
               [&](auto& m, auto&) { image(m).mutable_tuple()->mutable_local()->set_port(1); }),
       refused("towards another host than was offered",
               [&](auto& m, auto&) { set(*image(m).mutable_tuple()->mutable_remote(), host("beta").v4()); }),
       refused("of another family than was offered", [&](auto& m, auto&) { image(m).set_family(6); }),
       refused("bytes in flight",
               [&](auto& m, auto&) { position(m).set_snd_nxt(position(m).snd_nxt() + 1); }),
       refused("bytes not sent that aren't there",
               [&](auto& m, auto&) { position(m).set_write_end(position(m).write_end() + 1); }),
       refused("more bytes not sent than there are", [&](auto&, Attachments& a) { a[1].resize(1); }),
       refused("segments of 0 bytes", [&](auto& m, auto&) { image(m).set_mss_clamp(0); }),
       refused(
           "segments of 65,536 bytes", [&](auto& m, auto&) { image(m).set_mss_clamp(65'536); },
           SOCKSWAP_USAGE),
       refused("a window scale of 15", [&](auto& m, auto&) { image(m).set_snd_wscale(15); }),
       refused("a window scale that wasn't agreed on",
               [&](auto& m, auto&) {
                 image(m).set_window_scaling(false);
                 image(m).set_rcv_wscale(1);
               }),
       refused("a window of more than 1 GiB", [&](auto& m, auto&) { image(m).set_rcv_wnd((1U << 30) + 1); }),
       refused("a send window beyond the largest",
               [&](auto& m, auto&) { image(m).set_snd_wnd(image(m).max_window() + 1); }),
       refused("a window update from beyond the window",
               [&](auto& m, auto&) { image(m).set_snd_wl1(position(m).rcv_nxt() + image(m).rcv_wnd() + 1); }),
       refused("a window announced from beyond what was received",
               [&](auto& m, auto&) { image(m).set_rcv_wup(position(m).rcv_nxt() + 1); }),
       refused("unknown locks", [&](auto& m, auto&) { image(m).set_buffer_locks(4); }),
       refused("an option of no table",
               [&](auto& m, auto&) {
                 wire::Option& option = *image(m).add_options();
                 option.set_level(41);
                 option.set_name(4242);
                 option.set_value("\1");
               }),
       refused(
           "an option of 32,769 bytes",
           [&](auto& m, auto&) {
             image(m).clear_options();
             image(m).add_options()->set_value(std::string(32'769, 'x'));
           },
           SOCKSWAP_TOO_LARGE),
       refused(
           "257 options",
           [&](auto& m, auto&) {
             while (image(m).options_size() < 257) image(m).add_options();
           },
           SOCKSWAP_TOO_LARGE)});
}

// What nobody can see through: positions that could be true. The connection is the liar's own, and is harmed;
// nothing else is, and nobody is left standing still.
TEST_F(LyingOrigin, InsideTheWindowHarmsItsOwnConnectionOnly) {
  Talk talk = talk_with_mallory(2);
  Client there = client("gamma");
  there.register_receiver("test");
  ForgedMove move(*mallory, talk.fd());
  move.forge = [&](wire::Message& message, Attachments& attachments) {
    if (message.has_hold()) {  // bytes that its program never wrote
      wire::Position& moving = *message.mutable_hold()->mutable_ends(0)->mutable_moving();
      moving.set_snd_nxt(moving.snd_nxt() + 1000);
      moving.set_write_end(moving.snd_nxt());
      attachments[0].assign(1000, std::byte{'x'});
    }
    if (message.has_deliver()) {  // and an image of a connection that never was
      wire::Position& position = *message.mutable_deliver()->mutable_images(0)->mutable_position();
      position.set_snd_una(position.snd_una() + 123'456);
      position.set_snd_nxt(position.snd_una());
      position.set_write_end(position.snd_una());
    }
  };
  const auto refusal = move.run();
  EXPECT_FALSE(refusal) << refusal->text;
  const Fd end = arrived(there);
  EXPECT_NE(talk.connected.stayer.verdict(0, 0), "") << "it noticed nothing";
}

// The control of this file's: everything is found, taken and rebuilt if nothing is forged.
TEST_F(LyingOrigin, NotAtAll) { tell(wire::Message::kHold, {}); }

}  // namespace
}  // namespace sockswap::test
