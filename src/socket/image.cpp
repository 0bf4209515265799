#include "socket/image.h"

#include <fmt/format.h>

#include <limits>

#include "socket/options.h"

namespace sockswap::socket {
namespace {

constexpr std::size_t kLargestQueue = std::size_t{1} << 30;       // half of what a sequence number can order
constexpr std::uint32_t kLargestWindow = std::uint32_t{1} << 30;  // RFC 7323, section 2.3
constexpr std::uint8_t kLargestScale = 14;                        // RFC 7323, section 2.3
constexpr std::uint8_t kLockBits = 3;                             // SOCK_BUF_LOCK_MASK

Result<> wrong(std::string what) {
  return failure(ErrorCode::disagreement, fmt::format("the image is not sound: {}", what));
}

Result<> check_tuple(const Image& image) {
  const Endpoint& local = image.tuple.local;
  const Endpoint& remote = image.tuple.remote;
  if (image.family != AF_INET && image.family != AF_INET6)
    return wrong(fmt::format("address family {}", image.family));
  if (local.address.is_v4() != remote.address.is_v4()) return wrong("IPv4 talks to IPv6");
  if (image.family == AF_INET && !local.address.is_v4()) return wrong("an IPv4 socket with IPv6 addresses");
  if (local.address.is_any() || remote.address.is_any() || local.port == 0 || remote.port == 0)
    return wrong(fmt::format("4-tuple {}", image.tuple.text()));
  return {};
}

Result<> check_queues(const Image& image) {
  const Position& at = image.position;
  if (image.received.size() > kLargestQueue || image.sent.size() > kLargestQueue ||
      image.unsent.size() > kLargestQueue)
    return failure(ErrorCode::too_large, "a queue of more than 1 GiB");
  if (at.snd_una + static_cast<std::uint32_t>(image.sent.size()) != at.snd_nxt)
    return wrong("the sent bytes don't reach from snd_una to snd_nxt");
  if (at.snd_nxt + static_cast<std::uint32_t>(image.unsent.size()) != at.write_end)
    return wrong("the unsent bytes don't reach from snd_nxt to write_end");
  return {};
}

Result<> check_window(const Image& image) {
  const Window& window = image.window;
  const Negotiated& agreed = image.negotiated;
  if (agreed.mss_clamp == 0) return wrong("segments of 0 bytes");
  if (agreed.snd_wscale > kLargestScale || agreed.rcv_wscale > kLargestScale)
    return wrong("a window scale above 14");
  if (!agreed.window_scaling && (agreed.snd_wscale != 0 || agreed.rcv_wscale != 0))
    return wrong("a window scale without window scaling");
  // The kernel's own tests for TCP_REPAIR_WINDOW come next (tcp_repair_set_window).
  if (window.max_window > kLargestWindow || window.rcv_wnd > kLargestWindow)
    return wrong("a window too large");
  if (window.snd_wnd > window.max_window) return wrong("snd_wnd above max_window");
  if (window.snd_wl1.after(image.position.rcv_nxt + window.rcv_wnd)) return wrong("snd_wl1 past the window");
  if (window.rcv_wup.after(image.position.rcv_nxt)) return wrong("rcv_wup past rcv_nxt");
  return {};
}

Result<> check_buffers(const Buffers& buffers) {
  constexpr auto most = static_cast<std::uint32_t>(std::numeric_limits<int>::max());
  if (buffers.send > most || buffers.receive > most) return wrong("a buffer too large");
  if ((buffers.locks & ~kLockBits) != 0) return wrong("unknown buffer locks");
  return {};
}

}  // namespace

Result<> validate(const Image& image) {
  SOCKSWAP_CHECK(check_tuple(image));
  SOCKSWAP_CHECK(check_queues(image));
  SOCKSWAP_CHECK(check_window(image));
  SOCKSWAP_CHECK(check_buffers(image.buffers));
  return check_options(image.options);
}

}  // namespace sockswap::socket
