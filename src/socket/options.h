// The socket options that travel with an end (which ones: option_table.cpp). A list of options is in
// the table's order, holds each at most once, and leaves out what every fresh socket has anyway.
#pragma once

#include <span>
#include <vector>

#include "socket/handle.h"
#include "socket/image.h"
#include "socket/option_table.h"

namespace sockswap::socket {

using Options = std::vector<Option>;

enum class Extent : std::uint8_t {
  all,
  lost_in_place,  // that freezing, thawing or reconnecting the same socket would change
};

// Reads them, the program's own filter among them. To be called before repair mode, which
// overwrites SO_REUSEADDR. not_movable if the filter can't be read back.
Result<Options> read_options(const Handle& end, int family, const Address& local, Extent extent);

// Is the list well formed and does it name nothing but options of the table? Options reach setsockopt
// with the daemon's rights, so what another host sent must pass here first.
Result<> check_options(std::span<const Option> options);

// Sets those of one phase.
Result<> restore_options(const Handle& end, std::span<const Option> options, Phase phase);

// Sets those of Phase::asleep to what a fresh socket has; restore_options(…, Phase::asleep) wakes them.
Result<> put_to_sleep(const Handle& end, std::span<const Option> options);

// A socket that is disconnected and connected again has all its options still, but for these.
bool is_lost_on_reconnect(const Option& option);

// Is it of Phase::asleep?
bool sleeps(const Option& option);

// nullptr if the list doesn't have it, so that it is as on a fresh socket.
const Option* find(std::span<const Option> options, int level, int name);

}  // namespace sockswap::socket
