#include "socket/repair.h"

#include <fmt/format.h>
#include <linux/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

namespace sockswap::socket {
namespace {

constexpr int kEstablished = 1;         // TCP_ESTABLISHED of the kernel's net/tcp_states.h
constexpr int kInfoOptionUsec = 64;     // TCPI_OPT_USEC_TS, linux/tcp.h from 6.7 on
constexpr std::uint32_t kUsecFlag = 1;  // lowest bit of TCP_TIMESTAMP, from 6.7 on

// What TCP_MAXSEG takes (TCP_MIN_MSS, MAX_TCP_WINDOW). Only loopback has larger segments.
constexpr int kLeastMaxSeg = 88, kMostMaxSeg = 32767;

// TCP option kinds, as TCP_REPAIR_OPTIONS wants them (RFC 9293, 7323, 2018).
constexpr std::uint32_t kMss = 2, kWindowScale = 3, kSackPermitted = 4, kTimestamps = 8;

// The first bytes of TCP_INFO hold all that is wanted; the kernel copies as much as is asked for.
using InfoHead = std::array<std::uint8_t, 8>;
static_assert(offsetof(tcp_info, tcpi_state) == 0 && offsetof(tcp_info, tcpi_options) == 5);
constexpr std::size_t kOptions = 5, kScales = 6;  // kScales: two bit fields of 4, snd first

Result<InfoHead> info_head(const Handle& end) {
  InfoHead head{};
  SOCKSWAP_CHECK(end.get_bytes(IPPROTO_TCP, TCP_INFO, head.data(), head.size(), "TCP_INFO"));
  return head;
}

}  // namespace

Result<> repair_on(const Handle& end) {
  auto done = end.set(IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON, "TCP_REPAIR");
  if (!done && done.error().sys_errno == EPERM) {
    done.error().code = ErrorCode::unsupported;
    done.error().hint = "repair mode needs CAP_NET_ADMIN in the socket's network namespace";
  }
  return done;
}

Result<> repair_off(const Handle& end, Probe probe) {
  return end.set(IPPROTO_TCP, TCP_REPAIR, probe == Probe::ask ? TCP_REPAIR_OFF : TCP_REPAIR_OFF_NO_WP,
                 "TCP_REPAIR");
}

Result<> select_queue(const Handle& end, Queue queue) {
  const int value = queue == Queue::receive ? TCP_RECV_QUEUE
                    : queue == Queue::send  ? TCP_SEND_QUEUE
                                            : TCP_NO_QUEUE;
  return end.set(IPPROTO_TCP, TCP_REPAIR_QUEUE, value, "TCP_REPAIR_QUEUE");
}

Result<Sequence> dump_sequence(const Handle& end) {
  SOCKSWAP_TRY(const int value, end.get(IPPROTO_TCP, TCP_QUEUE_SEQ, "TCP_QUEUE_SEQ"));
  return Sequence(static_cast<std::uint32_t>(value));
}

Result<> restore_sequence(const Handle& end, Sequence sequence) {
  return end.set(IPPROTO_TCP, TCP_QUEUE_SEQ, static_cast<int>(sequence.value()), "TCP_QUEUE_SEQ");
}

Result<Window> dump_window(const Handle& end) {
  tcp_repair_window raw{};
  SOCKSWAP_CHECK(end.get_bytes(IPPROTO_TCP, TCP_REPAIR_WINDOW, &raw, sizeof raw, "TCP_REPAIR_WINDOW"));
  return Window{Sequence(raw.snd_wl1), raw.snd_wnd, raw.max_window, raw.rcv_wnd, Sequence(raw.rcv_wup)};
}

Result<> restore_window(const Handle& end, const Window& window) {
  const tcp_repair_window raw{window.snd_wl1.value(), window.snd_wnd, window.max_window, window.rcv_wnd,
                              window.rcv_wup.value()};
  return end.set_bytes(IPPROTO_TCP, TCP_REPAIR_WINDOW, &raw, sizeof raw, "TCP_REPAIR_WINDOW");
}

Result<Agreed> dump_negotiated(const Handle& end) {
  SOCKSWAP_TRY(const InfoHead info, info_head(end));
  if (info[0] != kEstablished)
    return failure(ErrorCode::not_movable, fmt::format("the end is in {} by now", tcp_state_name(info[0])),
                   "only ESTABLISHED connections move");
  // In repair mode TCP_MAXSEG is the clamp from the SYN, not the segment size in use.
  SOCKSWAP_TRY(const int mss, end.get(IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG"));
  Agreed out;
  Negotiated& to = out.negotiated;
  to.mss_clamp = static_cast<std::uint16_t>(mss);
  to.sack = (info[kOptions] & TCPI_OPT_SACK) != 0;
  to.timestamps = (info[kOptions] & TCPI_OPT_TIMESTAMPS) != 0;
  to.window_scaling = (info[kOptions] & TCPI_OPT_WSCALE) != 0;
  if (to.window_scaling) {
    to.snd_wscale = info[kScales] & 0xf;
    to.rcv_wscale = info[kScales] >> 4;
  }
  out.timestamp_in_usec = (info[kOptions] & kInfoOptionUsec) != 0;
  return out;
}

Result<> restore_segment_size(const Handle& end, const Negotiated& negotiated) {
  if (negotiated.mss_clamp < kLeastMaxSeg) return {};
  const int size = std::min(int{negotiated.mss_clamp}, kMostMaxSeg);
  return end.set(IPPROTO_TCP, TCP_MAXSEG, size, "TCP_MAXSEG");
}

Result<> restore_negotiated(const Handle& end, const Negotiated& from) {
  std::array<tcp_repair_opt, 4> raw{};
  std::size_t count = 0;
  raw[count++] = {kMss, from.mss_clamp};
  if (from.window_scaling)
    raw[count++] = {kWindowScale, from.snd_wscale | std::uint32_t{from.rcv_wscale} << 16};
  if (from.sack) raw[count++] = {kSackPermitted, 0};
  if (from.timestamps) raw[count++] = {kTimestamps, 0};
  return end.set_bytes(IPPROTO_TCP, TCP_REPAIR_OPTIONS, raw.data(),
                       static_cast<socklen_t>(count * sizeof raw[0]), "TCP_REPAIR_OPTIONS");
}

Result<std::uint32_t> dump_timestamp(const Handle& end, bool in_usec) {
  SOCKSWAP_TRY(const int value, end.get(IPPROTO_TCP, TCP_TIMESTAMP, "TCP_TIMESTAMP"));
  const auto clock = static_cast<std::uint32_t>(value);
  // Before 6.7 the lowest bit is part of the clock; a newer kernel would take it for the flag.
  return in_usec ? clock | kUsecFlag : clock & ~kUsecFlag;
}

Result<> restore_timestamp(const Handle& end, std::uint32_t timestamp) {
  return end.set(IPPROTO_TCP, TCP_TIMESTAMP, static_cast<int>(timestamp), "TCP_TIMESTAMP");
}

Result<> disconnect(const Handle& end) {
  const sockaddr unspecified{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (end.kernel().connect(end.fd(), &unspecified, sizeof unspecified) != 0)
    return system_failure(errno, "can't disconnect in repair mode");
  // tcp_disconnect() leaves ECONNABORTED pending: the program's next call must not be handed it.
  SOCKSWAP_CHECK(end.get(SOL_SOCKET, SO_ERROR, "SO_ERROR"));
  return {};
}

Result<int> tcp_state(const Handle& end) {
  SOCKSWAP_TRY(const InfoHead info, info_head(end));
  return info[0];
}

const char* tcp_state_name(int state) {
  static constexpr std::array<const char*, 14> names{
      "no state", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2",   "TIME-WAIT",
      "CLOSED",   "CLOSE-WAIT",  "LAST-ACK", "LISTEN",       "CLOSING",    "SYN-RECEIVED", "CLOSED"};
  return state >= 0 && state < static_cast<int>(names.size()) ? names[state] : "an unknown state";
}

}  // namespace sockswap::socket
