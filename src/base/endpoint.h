// IP addresses, endpoints and 4-tuples, as values.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sockswap {

// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (::ffff:a.b.c.d) is held as the IPv4 address
// it stands for: whether a socket spells it the long way is a property of the socket, not of the address.
class Address {
 public:
  Address() = default;  // 0.0.0.0
  static Address v4(in_addr address);
  static Address v6(const in6_addr& address);                 // maps v4-mapped to v4
  static Result<Address> from_bytes(ByteView network_order);  // 4 or 16 bytes
  static Result<Address> parse(std::string_view text);        // "10.0.0.1", "fd00::1"; no names, no scope

  bool is_v4() const { return v4_; }
  bool is_loopback() const;
  bool is_link_local() const;
  bool is_any() const;
  ByteView bytes() const;  // 4 or 16 bytes, network order
  std::string text() const;

  in_addr to_in_addr() const;    // requires is_v4()
  in6_addr to_in6_addr() const;  // v4 becomes v4-mapped

  auto operator<=>(const Address&) const = default;

 private:
  bool v4_ = true;
  std::array<std::uint8_t, 16> octets_{};  // v4: the first four
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;  // host byte order

  static Result<Endpoint> from_sockaddr(const sockaddr_storage& from);
  static Result<Endpoint> parse(std::string_view text);  // "10.0.0.1:80", "[fd00::1]:80"

  // As `family` wants it: AF_INET6 spells an IPv4 address as v4-mapped; AF_INET requires is_v4().
  // Returns the length for bind() and connect().
  socklen_t to_sockaddr(int family, sockaddr_storage& to) const;
  std::string text() const;  // "10.0.0.1:80", "[fd00::1]:80"

  auto operator<=>(const Endpoint&) const = default;
};

// One end's view of its connection.
struct FourTuple {
  Endpoint local;
  Endpoint remote;

  FourTuple flipped() const { return {remote, local}; }   // the other end's view
  static Result<FourTuple> parse(std::string_view text);  // "10.0.0.1:80-10.0.0.2:5000"
  std::string text() const;

  auto operator<=>(const FourTuple&) const = default;
};

}  // namespace sockswap
