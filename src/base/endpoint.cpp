#include "base/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sockswap {

Address Address::v4(in_addr address) {
  Address out;
  std::memcpy(out.octets_.data(), &address, sizeof address);
  return out;
}

Address Address::v6(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr low{};
    std::memcpy(&low, address.s6_addr + 12, sizeof low);
    return v4(low);
  }
  Address out;
  out.v4_ = false;
  std::memcpy(out.octets_.data(), &address, sizeof address);
  return out;
}

Result<Address> Address::from_bytes(ByteView network_order) {
  if (network_order.size() == sizeof(in_addr)) {
    in_addr address{};
    std::memcpy(&address, network_order.data(), sizeof address);
    return v4(address);
  }
  if (network_order.size() == sizeof(in6_addr)) {
    in6_addr address{};
    std::memcpy(&address, network_order.data(), sizeof address);
    return v6(address);
  }
  return failure(ErrorCode::usage, fmt::format("an address has 4 or 16 bytes, not {}", network_order.size()),
                 "do all hosts run the same version of sockswap?");
}

Result<Address> Address::parse(std::string_view text) {
  const std::string copy(text);
  const bool whole = text.find('\0') == std::string_view::npos;  // inet_pton() reads to the first zero byte
  in_addr low{};
  if (whole && ::inet_pton(AF_INET, copy.c_str(), &low) == 1) return v4(low);
  in6_addr wide{};
  if (whole && ::inet_pton(AF_INET6, copy.c_str(), &wide) == 1) return v6(wide);
  return failure(ErrorCode::usage, fmt::format("'{}' is not an IP address", text),
                 "write it as 10.0.0.1 or fd00::1");
}

bool Address::is_loopback() const { return v4_ ? octets_[0] == 127 : *this == v6(in6addr_loopback); }
bool Address::is_link_local() const {
  return v4_ ? octets_[0] == 169 && octets_[1] == 254 : octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}
bool Address::is_any() const {
  return std::ranges::all_of(octets_, [](std::uint8_t octet) { return octet == 0; });
}
ByteView Address::bytes() const {
  return {reinterpret_cast<const std::byte*>(octets_.data()), v4_ ? sizeof(in_addr) : sizeof(in6_addr)};
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN];
  ::inet_ntop(v4_ ? AF_INET : AF_INET6, octets_.data(), buffer, sizeof buffer);
  return buffer;
}

in_addr Address::to_in_addr() const {
  in_addr out{};
  std::memcpy(&out, octets_.data(), sizeof out);
  return out;
}

in6_addr Address::to_in6_addr() const {
  in6_addr out{};
  if (v4_) {
    out.s6_addr[10] = out.s6_addr[11] = 0xff;
    std::memcpy(out.s6_addr + 12, octets_.data(), sizeof(in_addr));
  } else {
    std::memcpy(&out, octets_.data(), sizeof out);
  }
  return out;
}

Result<Endpoint> Endpoint::from_sockaddr(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &from, sizeof in);
    return Endpoint{Address::v4(in.sin_addr), ntohs(in.sin_port)};
  }
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 in6{};
    std::memcpy(&in6, &from, sizeof in6);
    return Endpoint{Address::v6(in6.sin6_addr), ntohs(in6.sin6_port)};
  }
  return failure(ErrorCode::not_movable,
                 fmt::format("address family {} is neither IPv4 nor IPv6", from.ss_family));
}

socklen_t Endpoint::to_sockaddr(int family, sockaddr_storage& to) const {
  std::memset(&to, 0, sizeof to);
  if (family == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    in.sin_addr = address.to_in_addr();
    std::memcpy(&to, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_addr = address.to_in6_addr();
  std::memcpy(&to, &in6, sizeof in6);
  return sizeof in6;
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const auto bad = [&] {
    return failure(ErrorCode::usage, fmt::format("'{}' is not an endpoint", text),
                   "write it as 10.0.0.1:80 or [fd00::1]:80");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return bad();
  auto address = Address::parse(host);
  if (!address || (!bracketed && host.find(':') != std::string_view::npos)) return bad();
  return Endpoint{*address, port};
}

std::string Endpoint::text() const {
  return address.is_v4() ? fmt::format("{}:{}", address.text(), port)
                         : fmt::format("[{}]:{}", address.text(), port);
}

Result<FourTuple> FourTuple::parse(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos)
    return failure(
        ErrorCode::usage, fmt::format("'{}' is not a connection", text),
        "write it as LOCAL-REMOTE, such as 10.0.0.1:80-10.0.0.2:5000; `sockswap ls` prints them so");
  SOCKSWAP_TRY(Endpoint local, Endpoint::parse(text.substr(0, dash)));
  SOCKSWAP_TRY(Endpoint remote, Endpoint::parse(text.substr(dash + 1)));
  return FourTuple{local, remote};
}

std::string FourTuple::text() const { return fmt::format("{}-{}", local.text(), remote.text()); }

}  // namespace sockswap
