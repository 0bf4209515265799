#include "socket/options.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "socket/filter.h"

namespace sockswap::socket {
namespace {

constexpr std::size_t kLargestFixed = 16;  // struct timeval
constexpr std::size_t kLongestName = 16;   // TCP_CA_NAME_MAX of the kernel, for TCP_CONGESTION
constexpr std::size_t kMostOptions = 24;   // of a usual image; only a hint for reserve()

// Of IPPROTO_TCP; the last two are TCP_RTO_MIN_US and TCP_DELACK_MAX_US, taken anew from the sysctls.
constexpr int kLostOnReconnect[] = {TCP_WINDOW_CLAMP, 45, 46};

bool is_filter(const OptionRow& row) { return row.level == SOL_SOCKET && row.name == SO_ATTACH_FILTER; }

bool is_reset_by_kernel(int level, int name) {
  return level == IPPROTO_TCP && std::ranges::find(kLostOnReconnect, name) != std::end(kLostOnReconnect);
}

bool is_lost_in_place(const OptionRow& row) {
  return row.phase == Phase::asleep || row.phase == Phase::sending || is_filter(row) ||
         is_reset_by_kernel(row.level, row.name);
}

bool applies(const OptionRow& row, int family, const Address& local) {
  switch (row.applies) {
    case Applies::always: return true;
    case Applies::to_ipv4: return local.is_v4();
    case Applies::to_ipv6: return family == AF_INET6;
  }
  return false;
}

bool unknown_here(int error) { return error == ENOPROTOOPT || error == EOPNOTSUPP; }

bool is_fresh(const OptionRow& row, const std::byte* value) {
  if (!row.fresh) return false;
  if (row.size == sizeof(int)) {
    int now = 0;
    std::memcpy(&now, value, sizeof now);
    return now == *row.fresh;
  }
  const Bytes fresh = fresh_value(row);
  return std::memcmp(value, fresh.data(), fresh.size()) == 0;
}

// The rows that `options` name, in step with them; nullptr from the first that isn't in the order.
class RowWalk {
 public:
  const OptionRow* next(const Option& option) {
    while (at_ != option_table().end()) {
      const OptionRow& row = *at_++;
      if (row.level == option.level && row.name == option.name) return &row;
    }
    return nullptr;
  }

 private:
  std::span<const OptionRow>::iterator at_ = option_table().begin();
};

Result<> restore_one(const Handle& end, const OptionRow& row, const Option& option) {
  if (is_filter(row)) return attach_filter(end, option.value);
  auto done = end.set_bytes(row.level, row.name, option.value.data(),
                            static_cast<socklen_t>(option.value.size()), row.text);
  if (done || row.if_missing == IfMissing::fail) return done;
  // ENOENT: no congestion control of that name here.
  const int error = done.error().sys_errno;
  if (unknown_here(error) || error == ENOENT) return {};
  return done;
}

}  // namespace

Result<Options> read_options(const Handle& end, int family, const Address& local, Extent extent) {
  Options out;
  out.reserve(kMostOptions);
  for (const OptionRow& row : option_table()) {
    if (!applies(row, family, local)) continue;
    if (extent == Extent::lost_in_place && !is_lost_in_place(row)) continue;
    if (is_filter(row)) {
      SOCKSWAP_TRY(Bytes own, read_own_filter(end));
      if (!own.empty()) out.push_back({row.level, row.name, std::move(own)});
      continue;
    }
    std::array<std::byte, kLargestFixed> value{};
    const auto room = static_cast<socklen_t>(row.size == 0 ? value.size() : row.size);
    socklen_t size = room;
    if (end.kernel().getsockopt(end.fd(), row.level, row.name, value.data(), &size) != 0) {
      const int error = errno;
      if (unknown_here(error)) continue;  // an option that this kernel lacks has no value to lose
      return system_failure(error, fmt::format("can't read {}", row.text));
    }
    if (is_fresh(row, value.data())) continue;
    if (row.size == 0) size = static_cast<socklen_t>(strnlen(reinterpret_cast<char*>(value.data()), size));
    out.push_back({row.level, row.name, Bytes(value.begin(), value.begin() + size)});
  }
  return out;
}

Result<> check_options(std::span<const Option> options) {
  RowWalk walk;
  for (const Option& option : options) {
    const OptionRow* row = walk.next(option);
    if (row == nullptr)
      return failure(ErrorCode::disagreement,
                     fmt::format("socket option {}/{} is unknown, out of order or there twice", option.level,
                                 option.name));
    const std::size_t size = option.value.size();
    const bool right = is_filter(*row) ? size > 0 && size % sizeof(sock_filter) == 0 &&
                                             size / sizeof(sock_filter) <= BPF_MAXINSNS
                       : row->size == 0 ? size > 0 && size < kLongestName
                                        : size == row->size;
    if (!right)
      return failure(ErrorCode::disagreement, fmt::format("{} can't have {} bytes", row->text, size));
  }
  return {};
}

Result<> restore_options(const Handle& end, std::span<const Option> options, Phase phase) {
  RowWalk walk;
  for (const Option& option : options) {
    const OptionRow* row = walk.next(option);
    if (row == nullptr) return failure(ErrorCode::usage, "the list of socket options was not checked");
    if (row->phase == phase) SOCKSWAP_CHECK(restore_one(end, *row, option));
  }
  return {};
}

Result<> put_to_sleep(const Handle& end, std::span<const Option> options) {
  RowWalk walk;
  for (const Option& option : options) {
    const OptionRow* row = walk.next(option);
    if (row == nullptr || row->phase != Phase::asleep) continue;
    if (row->name == SO_REUSEADDR && row->level == SOL_SOCKET) continue;  // repair mode takes it over
    const Bytes quiet = fresh_value(*row);
    SOCKSWAP_CHECK(
        end.set_bytes(row->level, row->name, quiet.data(), static_cast<socklen_t>(quiet.size()), row->text));
  }
  return {};
}

bool is_lost_on_reconnect(const Option& option) { return is_reset_by_kernel(option.level, option.name); }

bool sleeps(const Option& option) {
  return std::ranges::any_of(option_table(), [&](const OptionRow& row) {
    return row.level == option.level && row.name == option.name && row.phase == Phase::asleep;
  });
}

const Option* find(std::span<const Option> options, int level, int name) {
  const auto at = std::ranges::find_if(
      options, [&](const Option& each) { return each.level == level && each.name == name; });
  return at == options.end() ? nullptr : &*at;
}

}  // namespace sockswap::socket
