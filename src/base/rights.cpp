#include "base/rights.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/foreign_fd.h"

namespace sockswap {
namespace {

constexpr std::size_t max_fds = 253;  // the kernel's SCM_MAX_FD

struct ControlBuffer {
  alignas(cmsghdr) char bytes[CMSG_SPACE(max_fds * sizeof(int))];
};

constexpr std::size_t most_parts = 64;  // of one sendmsg()

int flags(Wait wait) { return wait == Wait::never ? MSG_DONTWAIT : 0; }

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// All are owned before the first is handed on: appending can throw.
void collect(msghdr& message, std::deque<Fd>& fds) {
  std::array<Fd, max_fds> owned;
  std::size_t count = 0;
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t here = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < here; ++i, ++count) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
      owned[count].reset(fd);
    }
  }
  for (std::size_t i = 0; i < count; ++i) fds.push_back(std::move(owned[i]));
}

}  // namespace

Result<std::optional<std::size_t>> send_some(int socket, ByteView bytes, std::span<const int> fds) {
  return send_some(socket, std::span(&bytes, 1), fds, Wait::never);
}

Result<std::optional<std::size_t>> send_some(int socket, std::span<const ByteView> parts,
                                             std::span<const int> fds, Wait wait) {
  if (fds.size() > max_fds) return failure(ErrorCode::too_large, "more descriptors than one message carries");
  std::array<iovec, most_parts> vector;
  const std::size_t count = std::min(parts.size(), vector.size());
  for (std::size_t i = 0; i < count; ++i)
    vector[i] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
  msghdr message{};
  message.msg_iov = vector.data();
  message.msg_iovlen = count;
  ControlBuffer control;
  if (!fds.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(head), fds.data(), fds.size_bytes());
  }
  for (;;) {
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | flags(wait));
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (would_block(errno)) return std::nullopt;
    // Too many descriptors of this user are in flight between processes (ETOOMANYREFS).
    const bool scarce = errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM;
    return system_failure(errno, "send over the control socket",
                          scarce ? ErrorCode::no_resources : ErrorCode::no_daemon);
  }
}

Result<std::optional<std::size_t>> receive_some(int socket, std::span<std::byte> into, std::deque<Fd>& fds,
                                                Wait wait) {
  iovec part{into.data(), into.size()};
  ControlBuffer control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  for (;;) {
    const ssize_t received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags(wait));
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && would_block(errno)) return std::nullopt;
    if (received < 0) return system_failure(errno, "read from the control socket", ErrorCode::no_daemon);
    const std::size_t before = fds.size();
    collect(message, fds);
    // The buffer holds all that the kernel can send: what was cut found no place in the descriptor table.
    if (message.msg_flags & MSG_CTRUNC) {
      while (fds.size() > before) {  // a close may linger
        ForeignFd(std::move(fds.back()));
        fds.pop_back();
      }
      fds.emplace_back();
    }
    return static_cast<std::size_t>(received);
  }
}

Error no_room_for_descriptors() {
  return {ErrorCode::no_resources, "no room for the descriptors that arrived",
          "raise that program's limit of open files (RLIMIT_NOFILE)", 0};
}

Result<std::vector<Fd>> keep_room(int like, std::size_t count) {
  std::vector<Fd> room;
  while (room.size() < count) {
    room.emplace_back(::fcntl(like, F_DUPFD_CLOEXEC, 0));
    if (!room.back()) return system_failure(errno, "keep room for descriptors", ErrorCode::no_resources);
  }
  return room;
}

}  // namespace sockswap
