#include "base/endpoint.h"

#include <gtest/gtest.h>

namespace sockswap {
namespace {

TEST(Address, SpellsAsPeopleDo) {
  for (const char* text : {"10.0.0.1", "fd00::1", "::1", "0.0.0.0", "::"})
    EXPECT_EQ(Address::parse(text).value().text(), text);
  for (const char* text : {"", "10.0.0", "10.0.0.256", "fe80::1%eth0", "example", "10.0.0.1:80", "[::1]"})
    EXPECT_FALSE(Address::parse(text)) << text;
  EXPECT_FALSE(Address::parse(std::string_view("10.0.0.1\0.example", 17)));
}

TEST(Address, IsOneHoweverItIsSpelled) {
  const Address plain = Address::parse("10.0.0.1").value(),
                mapped = Address::parse("::ffff:10.0.0.1").value();
  EXPECT_EQ(plain, mapped);
  EXPECT_TRUE(mapped.is_v4());
  EXPECT_EQ(mapped.bytes().size(), 4u);
  EXPECT_EQ(Address::from_bytes(mapped.bytes()).value(), plain);
}

TEST(Address, KnowsItsKind) {
  for (const char* text : {"127.0.0.1", "127.255.0.1", "::1"})
    EXPECT_TRUE(Address::parse(text).value().is_loopback()) << text;
  EXPECT_FALSE(Address::parse("128.0.0.1").value().is_loopback());
  EXPECT_TRUE(Address::parse("fe80::1").value().is_link_local());
  EXPECT_FALSE(Address::parse("fd00::1").value().is_link_local());
  EXPECT_TRUE(Address::parse("::").value().is_any() && Address().is_any());
  EXPECT_FALSE(Address::parse("::1").value().is_any());
}

TEST(Endpoint, SpellsAsPeopleDo) {
  for (const char* text : {"10.0.0.1:80", "[fd00::1]:65535", "0.0.0.0:0"})
    EXPECT_EQ(Endpoint::parse(text).value().text(), text);
  for (const char* text :
       {"10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:-1", "fd00::1:80", "[fd00::1]"})
    EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(Endpoint, ComesBackFromASockaddr) {
  for (const auto& [text, family] : {std::pair("10.0.0.1:80", AF_INET), std::pair("10.0.0.1:80", AF_INET6),
                                     std::pair("[fd00::1]:80", AF_INET6)}) {
    const Endpoint endpoint = Endpoint::parse(text).value();
    sockaddr_storage address{};
    EXPECT_EQ(endpoint.to_sockaddr(family, address),
              family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    EXPECT_EQ(address.ss_family, family);
    EXPECT_EQ(Endpoint::from_sockaddr(address).value(), endpoint);
  }
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_FALSE(Endpoint::from_sockaddr(local));
}

TEST(FourTuple, FlipsToTheOtherEndsView) {
  const FourTuple tuple = FourTuple::parse("10.0.0.1:80-[fd00::2]:5000").value();
  EXPECT_EQ(tuple.flipped().text(), "[fd00::2]:5000-10.0.0.1:80");
  EXPECT_EQ(tuple.flipped().flipped(), tuple);
  for (const char* text : {"", "10.0.0.1:80", "10.0.0.1:80-", "10.0.0.1:80 10.0.0.2:5000"})
    EXPECT_FALSE(FourTuple::parse(text)) << text;
}

}  // namespace
}  // namespace sockswap
