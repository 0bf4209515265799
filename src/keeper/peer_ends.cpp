#include "keeper/peer_ends.h"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>

#include "keeper/holders.h"
#include "move/images.h"
#include "process/sock_diag.h"
#include "socket/in_place.h"
#include "socket/reconcile.h"
#include "socket/route.h"
#include "wire/endpoints.h"

namespace sockswap::keeper {
namespace {

// A thread in uninterruptible sleep doesn't stop; the connection stands still no longer than this for it.
constexpr std::chrono::milliseconds pause_deadline{250};
// A swap after a rest can't be refused any more: it is tried so often before the ends are lost.
constexpr int pauses_after_rest = 8;

Result<> check_entry(const process::SocketEntry& entry) {
  if (entry.state != TCP_ESTABLISHED)
    return failure(ErrorCode::not_movable, "the connection is half-closed or closing",
                   "only established connections move");
  if (entry.has_md5_key)
    return failure(ErrorCode::not_movable, "the connection has a TCP-MD5 key",
                   "the kernel doesn't give keys out, so such a connection can't be made again elsewhere");
  return {};
}

// Where an end is to be re-pointed to: from its own port, and to a 4-tuple that nothing else here has, or the
// kernel would refuse it when it is too late.
Result<> check_place(Environment& environment, const FourTuple& tuple, const socket::Place& place) {
  if (place.local.port != tuple.local.port)
    return failure(ErrorCode::not_permitted,
                   fmt::format("{} is not the port of {}", place.local.port, tuple.text()));
  HostAddresses& addresses = environment.addresses;
  SOCKSWAP_CHECK(place.local == tuple.local
                     ? addresses.check_remote(place.local.address, place.remote.address)
                     : addresses.check_pair(place.local.address, place.remote.address));
  SOCKSWAP_CHECK(socket::check_route(environment.kernel, place));
  SOCKSWAP_TRY(const bool taken, process::is_taken({place.local, place.remote}));
  if (taken)
    return failure(
        ErrorCode::no_resources,
        fmt::format("there is a connection {}-{} already", place.local.text(), place.remote.text()),
        "try again: the destination will have chosen another port");
  return {};
}

}  // namespace

Result<PeerEnds::End> PeerEnds::locate(const wire::keeper::Find::End& sought) {
  End end;
  end.index = sought.index();
  SOCKSWAP_TRY(end.tuple, wire::from_message(sought.tuple()));
  SOCKSWAP_TRY(const auto entry, process::find_connection(end.tuple));
  if (!entry)
    return failure(ErrorCode::not_found, end.tuple.text() + ": there is no such connection any more",
                   "`sockswap ls` shows those that there are");
  if (auto checked = check_entry(*entry); !checked)
    return failure(std::move(checked).error().while_doing(end.tuple.text()));
  end.inode = entry->inode;
  return end;
}

Result<> PeerEnds::find_holders(const Environment& environment) {
  SOCKSWAP_TRY(auto holders, holders_of(environment, inodes()));
  process::PausableProcesses pausable;
  for (End& end : ends_) {
    end.holders = std::move(holders[end.inode]);
    Result<> held = end.holders.empty()
                        ? failure(ErrorCode::busy, "no process here holds the connection",
                                  "try again: its descriptor may be on its way from one program to another. "
                                  "Or a process in another PID namespace has it: run sockswapd where it can "
                                  "see its programs")
                        : pausable.check(end.holders);
    if (!held) return failure(std::move(held).error().while_doing(end.tuple.text()));
  }
  return {};
}

Result<PeerEnds> PeerEnds::find(Environment& environment, const wire::keeper::Find& request) {
  if (request.ends().empty()) return failure(ErrorCode::usage, "asked to find no end at all");
  if (request.ends_size() > most_ends)
    return failure(ErrorCode::too_large, fmt::format("asked to find {} ends", request.ends_size()));
  PeerEnds found;
  for (const auto& sought : request.ends()) {
    SOCKSWAP_TRY(End end, locate(sought));
    found.ends_.push_back(std::move(end));
  }
  SOCKSWAP_CHECK(found.find_holders(environment));
  for (End& end : found.ends_) {
    const auto take = [&]() -> Result<> {
      SOCKSWAP_TRY(Fd fd, process::take_descriptor(end.holders.front(), end.inode));
      end.kept.emplace(std::move(fd));
      return socket::check_movable(environment.kernel, end.kept->get());
    };
    if (auto taken = take(); !taken) return failure(std::move(taken).error().while_doing(end.tuple.text()));
  }
  SOCKSWAP_TRY(process::Pauser pauser, process::Pauser::make());
  found.pauser_ = std::move(pauser);
  return found;
}

bool PeerEnds::is_for(const wire::keeper::Find& request) const {
  return std::ranges::equal(ends_, request.ends(), [](const End& end, const auto& sought) {
    const auto tuple = wire::from_message(sought.tuple());
    return tuple && *tuple == end.tuple && sought.index() == end.index;
  });
}

Result<> PeerEnds::take_orders(Environment& environment, const wire::keeper::Hold& request,
                               const std::vector<Bytes>& in_flight) {
  const auto count = static_cast<std::size_t>(request.ends_size());
  if (count != ends_.size() || in_flight.size() != count)
    return failure(ErrorCode::disagreement, "asked to hold other ends than were found");
  for (std::size_t i = 0; i < count; ++i) {
    const auto& asked = request.ends(static_cast<int>(i));
    const auto known = std::ranges::find(ends_, asked.index(), &End::index);
    if (known == ends_.end() || known->ordered)
      return failure(ErrorCode::disagreement, "asked to hold another end than was found");
    End& end = *known;
    end.ordered = true;
    end.in_flight = in_flight[i];
    end.moving = move::from_message(asked.moving());
    if (in_flight[i].size() != static_cast<std::size_t>(end.moving.snd_nxt.since(end.moving.snd_una)))
      return failure(ErrorCode::disagreement, "what was in flight isn't what the moving end's position says");
    SOCKSWAP_TRY(end.place.local, wire::from_message(asked.new_local()));
    SOCKSWAP_TRY(end.place.remote, wire::from_message(asked.new_remote()));
    SOCKSWAP_CHECK(check_place(environment, end.tuple, end.place));
  }
  return {};
}

Result<> PeerEnds::pause_holders(const Environment& environment) {
  const auto now = std::chrono::steady_clock::now();
  const auto fresh = [&](const End& end) { return process::is_fresh(end.holders, now); };
  if (!std::ranges::all_of(ends_, fresh)) SOCKSWAP_CHECK(find_holders(environment));
  std::vector<process::Holder> holders;  // one of several ends is taken once
  for (const End& end : ends_) holders.insert(holders.end(), end.holders.begin(), end.holders.end());
  auto paused = process::Paused::pause(*std::move(pauser_), holders, inodes(), pause_deadline);
  pauser_.reset();
  if (!paused) return failure(std::move(paused).error());
  paused_ = *std::move(paused);
  return {};
}

// The program may have closed the end meanwhile: the keeper's descriptor keeps it.
Result<> PeerEnds::pause_again(const Environment& environment) {
  if (paused_) return {};  // a rest that failed
  Result<> outcome;
  for (int attempt = 0; attempt < pauses_after_rest; ++attempt) {
    SOCKSWAP_TRY(const auto found, holders_of(environment, inodes()));
    std::vector<process::Holder> holders;
    for (const auto& [inode, its] : found) holders.insert(holders.end(), its.begin(), its.end());
    auto paused = process::Paused::pause(holders, inodes(), pause_deadline);
    if (paused) {
      paused_ = *std::move(paused);
      return {};
    }
    outcome = failure(std::move(paused).error());
    if (outcome.error().code != ErrorCode::timed_out) break;
  }
  return outcome;
}

std::vector<std::uint32_t> PeerEnds::inodes() const {
  std::vector<std::uint32_t> inodes;
  for (const End& end : ends_) inodes.push_back(end.inode);
  return inodes;
}

Result<> PeerEnds::prepare(End& end, socket::Sequence from, ByteView in_flight) {
  SOCKSWAP_TRY(socket::Image image, end.frozen->capture());
  end.staying = image.position;
  SOCKSWAP_CHECK(socket::check_agreement(image.position, end.moving));
  SOCKSWAP_CHECK(socket::append_in_flight(image, from, in_flight));
  SOCKSWAP_CHECK(socket::cut_sent(image, end.moving.rcv_nxt));
  end.image = std::move(image);
  return {};
}

// What can fail of a re-pointing without touching the socket fails here, before the commit.
Result<> PeerEnds::freeze_one(Environment& environment, End& end) {
  Fd copy = end.kept->duplicate();
  if (!copy) return system_failure(errno, "duplicate a descriptor", ErrorCode::no_resources);
  SOCKSWAP_TRY(socket::FrozenEnd frozen,
               socket::FrozenEnd::freeze(environment.kernel, std::move(copy), socket::Intent::stay));
  end.frozen = std::move(frozen);
  return prepare(end, end.moving.snd_una, end.in_flight);
}

Result<> PeerEnds::freeze_again(End& end) {
  SOCKSWAP_CHECK(end.frozen->freeze_again());
  return prepare(end, end.staying.rcv_nxt, end.not_received);
}

// An end whose own address changes is re-pointed by repair mode: the call leaves that as it is.
bool PeerEnds::look(Environment& environment) {
  for (End& end : ends_) {
    if (end.place.local != end.tuple.local) return false;
    const auto position = socket::look(environment.kernel, end.kept->get());
    if (!position) return false;
    end.staying = *position;
  }
  return true;
}

Result<> PeerEnds::hold_in_place() {
  for (End& end : ends_) {
    SOCKSWAP_CHECK(socket::check_agreement(end.staying, end.moving));
    end.in_flight_kept.assign(end.in_flight.begin(), end.in_flight.end());
    end.in_flight = {};
  }
  in_place_ = true;
  stage_ = keep::Stage::held;
  return {};
}

Result<> PeerEnds::hold(Environment& environment, const wire::keeper::Hold& request,
                        const std::vector<Bytes>& in_flight) {
  const auto began = std::chrono::steady_clock::now();
  SOCKSWAP_CHECK(take_orders(environment, request, in_flight));
  SOCKSWAP_TRY(lock_, environment.frozen.lock(inodes()));
  if (look(environment)) return hold_in_place();
  SOCKSWAP_CHECK(pause_holders(environment));
  pausing_ = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
  for (End& end : ends_) {
    if (auto frozen = freeze_one(environment, end); !frozen)
      return failure(std::move(frozen).error().while_doing("hold " + end.tuple.text()));
    end.in_flight = {};
  }
  stage_ = keep::Stage::held;
  return {};
}

Answer PeerEnds::held() const {
  Answer answer;
  wire::keeper::Held& held = *answer.reply.mutable_held();
  for (const End& end : ends_) {
    auto& out = *held.add_ends();
    out.set_index(end.index);
    move::to_message(end.staying, *out.mutable_staying());
  }
  held.set_paused_us(static_cast<std::uint64_t>(pausing_.count()));
  return answer;
}

Result<> PeerEnds::rest() {
  resting_ = true;  // also if one of them fails: the others have no image any more
  if (in_place_) return {};
  for (End& end : ends_) {
    const Bytes& received = end.image->received;
    const auto appended = end.image->position.rcv_nxt.since(end.staying.rcv_nxt);
    end.not_received.assign(received.end() - appended, received.end());
    end.image.reset();
    SOCKSWAP_CHECK(end.frozen->rest());
  }
  return resume();
}

Result<> PeerEnds::repoint(End& end) {
  SOCKSWAP_TRY(socket::DormantEnd dormant, end.frozen->repoint(*end.image, end.place));
  end.frozen.reset();                           // the socket is the dormant end's now
  SOCKSWAP_TRY(const Fd ours, dormant.thaw());  // the holders have theirs
  return {};
}

void PeerEnds::swap(Environment& environment) {
  const Result<> paused = resting_ && !in_place_ ? pause_again(environment) : Result<>{};
  const auto swap_one = [&](End& end) -> Result<> {
    if (in_place_)
      return socket::swap_in_place(environment.kernel, end.kept->get(), end.moving, end.in_flight_kept,
                                   end.place.remote);
    SOCKSWAP_CHECK(paused);
    if (resting_) SOCKSWAP_CHECK(freeze_again(end));
    return repoint(end);
  };
  for (End& end : ends_) {
    auto swapped = swap_one(end);
    end.image.reset();
    if (swapped) continue;
    lost_[end.index] = {ErrorCode::lost, end.tuple.text() + ": " + swapped.error().text(),
                        "the program's end was disconnected", 0};
    static_cast<void>(disconnect(environment, end));
  }
  lock_ = {};
  resting_ = false;
  stage_ = keep::Stage::swapped;
}

Result<> PeerEnds::disconnect(Environment& environment, End& end) {
  if (in_place_) {
    Fd copy = end.kept->duplicate();
    SOCKSWAP_TRY(end.frozen,
                 socket::FrozenEnd::freeze(environment.kernel, std::move(copy), socket::Intent::stay));
  }
  auto released = end.frozen ? end.frozen->release() : Result<>{};
  end.frozen.reset();
  return released;
}

Result<> PeerEnds::resume() {
  pauser_.reset();
  if (!paused_) return {};
  auto resumed = paused_->resume();
  paused_.reset();
  return resumed;
}

// Should the programs of resting ends not stop, they are let go all the same: what is missing then, the
// window, the other end says at its next segment.
Result<> PeerEnds::undo(Environment& environment) {
  Result<> outcome = resting_ && !in_place_ ? pause_again(environment) : Result<>{};
  const bool again = resting_ && outcome;
  for (End& end : ends_) {
    if (!end.frozen) continue;
    if (again)
      if (auto frozen = end.frozen->freeze_again(); !frozen) outcome = std::move(frozen);
    if (auto thawed = end.frozen->thaw(); !thawed) outcome = std::move(thawed);
    end.frozen.reset();
  }
  if (auto resumed = resume(); !resumed) outcome = std::move(resumed);
  return outcome;
}

std::vector<FourTuple> PeerEnds::tuples() const {
  std::vector<FourTuple> tuples;
  for (const End& end : ends_) tuples.push_back(end.tuple);
  return tuples;
}

}  // namespace sockswap::keeper
