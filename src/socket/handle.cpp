#include "socket/handle.h"

#include <fmt/format.h>

#include <cerrno>

namespace sockswap::socket {

Result<int> Handle::get(int level, int name, const char* what) const {
  int value = 0;
  SOCKSWAP_CHECK(get_bytes(level, name, &value, sizeof value, what));
  return value;
}

Result<> Handle::set(int level, int name, int value, const char* what) const {
  return set_bytes(level, name, &value, sizeof value, what);
}

Result<socklen_t> Handle::get_bytes(int level, int name, void* value, socklen_t size,
                                    const char* what) const {
  if (kernel_->getsockopt(fd_, level, name, value, &size) != 0)
    return system_failure(errno, fmt::format("can't read {}", what));
  return size;
}

Result<> Handle::set_bytes(int level, int name, const void* value, socklen_t size, const char* what) const {
  if (kernel_->setsockopt(fd_, level, name, value, size) != 0)
    return system_failure(errno, fmt::format("can't set {}", what));
  return {};
}

Result<int> Handle::count(unsigned long request, const char* what) const {
  int value = 0;
  if (kernel_->ioctl(fd_, request, &value) != 0)
    return system_failure(errno, fmt::format("can't read {}", what));
  return value;
}

Result<Handle::Local> Handle::local() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (kernel_->getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return system_failure(errno, "can't read the local address");
  SOCKSWAP_TRY(const Endpoint endpoint, Endpoint::from_sockaddr(address));
  return Local{endpoint, address.ss_family};
}

Result<Endpoint> Handle::remote() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (kernel_->getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return system_failure(errno, "can't read the remote address");
  return Endpoint::from_sockaddr(address);
}

Result<> Handle::bind(int family, const Endpoint& to) const {
  sockaddr_storage address{};
  const socklen_t size = to.to_sockaddr(family, address);
  if (kernel_->bind(fd_, reinterpret_cast<const sockaddr*>(&address), size) == 0) return {};
  const int error = errno;
  const bool forbidden = error == EACCES || error == EPERM;
  return system_failure(error, fmt::format("can't bind {}", to.text()),
                        forbidden ? ErrorCode::not_permitted : ErrorCode::no_resources);
}

Result<> Handle::connect(int family, const Endpoint& to) const {
  sockaddr_storage address{};
  const socklen_t size = to.to_sockaddr(family, address);
  if (kernel_->connect(fd_, reinterpret_cast<const sockaddr*>(&address), size) == 0) return {};
  const int error = errno;
  // EADDRNOTAVAIL: another socket of this host has the same 4-tuple.
  return system_failure(error, fmt::format("can't connect to {} in repair mode", to.text()),
                        error == EADDRNOTAVAIL ? ErrorCode::no_resources : ErrorCode::internal);
}

Result<> Handle::shut_receiving() const {
  if (kernel_->shutdown(fd_, SHUT_RD) == 0) return {};
  return system_failure(errno, "can't shut the receiving direction");
}

}  // namespace sockswap::socket
