#include "daemon/peer_ends.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>

#include "move/images.h"
#include "process/sock_diag.h"
#include "socket/reconcile.h"
#include "socket/route.h"
#include "wire/endpoints.h"

namespace sockswap::daemon {
namespace {

// A thread in uninterruptible sleep doesn't stop; the connection stands still no longer than this for it.
constexpr std::chrono::milliseconds pause_deadline{250};

Result<> check_entry(const process::SocketEntry& entry) {
  if (entry.state != TCP_ESTABLISHED)
    return failure(ErrorCode::not_movable, "the connection is half-closed or closing",
                   "only established connections move");
  if (entry.has_md5_key)
    return failure(ErrorCode::not_movable, "the connection has a TCP-MD5 key",
                   "the kernel doesn't give keys out, so such a connection can't be made again elsewhere");
  return {};
}

// Only the other end of a connection may have it re-pointed: its host's certificate must cover the address.
Result<> check_permitted(const Context& context, const std::string& asking, const FourTuple& tuple) {
  const Address& other = tuple.remote.address;
  if (asking == context.self && other.is_loopback()) return {};
  if (context.mesh.covers(asking, other)) return {};
  return failure(ErrorCode::not_permitted,
                 fmt::format("the certificate of {} doesn't cover {}, the other end of {}", asking,
                             other.text(), tuple.text()),
                 "`sockswap cluster add` with all of the host's addresses makes one that does");
}

// Where an end is to be re-pointed to: from an address of this host to one of the destination, and to a
// 4-tuple that nothing else here has, or the kernel would refuse it when it is too late.
Result<> check_place(const Context& context, const std::string& destination, const FourTuple& tuple,
                     const socket::Place& place) {
  const bool from_here = place.local == tuple.local || (place.local.port == tuple.local.port &&
                                                        owns(context, context.self, place.local.address));
  if (!from_here || !owns(context, destination, place.remote.address))
    return failure(
        ErrorCode::not_permitted,
        fmt::format("{} is to be re-pointed to {}-{}, which is not between {} and {}", tuple.text(),
                    place.local.text(), place.remote.text(), context.self, destination),
        "do all hosts have the same hosts.toml?");
  SOCKSWAP_CHECK(socket::check_route(context.kernel, place));
  SOCKSWAP_TRY(const bool taken, process::is_taken({place.local, place.remote}));
  if (taken)
    return failure(ErrorCode::no_resources,
                   fmt::format("{} has a connection {}-{} already", context.self, place.local.text(),
                               place.remote.text()),
                   "try again: the destination will have chosen another port");
  return {};
}

std::string naming(const Context& context, const std::string& tuple) {
  return fmt::format("the staying end on {}, {}", context.self, tuple);
}

}  // namespace

Result<PeerEnds::End> PeerEnds::locate(const Context& context, const std::string& asking,
                                       const wire::Find::End& sought) {
  End end;
  end.index = sought.index();
  SOCKSWAP_TRY(end.tuple, wire::from_message(sought.tuple()));
  SOCKSWAP_CHECK(check_permitted(context, asking, end.tuple));
  SOCKSWAP_TRY(const auto entry, process::find_connection(end.tuple));
  if (!entry)
    return failure(ErrorCode::not_found, "there is no such connection any more",
                   "`sockswap ls` shows those that there are");
  SOCKSWAP_CHECK(check_entry(*entry));
  end.inode = entry->inode;
  return end;
}

Result<> PeerEnds::find_holders(const Context& context) {
  std::vector<std::uint32_t> inodes;
  for (const End& end : ends_) inodes.push_back(end.inode);
  SOCKSWAP_TRY(auto holders, process::find_holders(inodes, ::getpid()));
  process::PausableProcesses pausable;
  for (End& end : ends_) {
    end.holders = std::move(holders[end.inode]);
    Result<> held = end.holders.empty()
                        ? failure(ErrorCode::busy, "no process here holds the connection",
                                  "try again: its descriptor may be on its way from one program to another. "
                                  "Or a process in another PID namespace has it: run sockswapd where it can "
                                  "see its programs")
                        : pausable.check(end.holders);
    if (!held) return failure(std::move(held).error().while_doing(naming(context, end.tuple.text())));
  }
  return {};
}

Result<> PeerEnds::take(const Context& context, End& end) {
  SOCKSWAP_TRY(end.fd, process::take_descriptor(end.holders.front(), end.inode));
  return socket::check_movable(context.kernel, end.fd.get());
}

Result<> PeerEnds::find(const Context& context, const std::string& asking, const wire::Find& find) {
  if (find.ends_size() > most_ends)
    return failure(ErrorCode::too_large, fmt::format("asked to find {} ends in one move", find.ends_size()),
                   fmt::format("{} are possible: make several moves of it", most_ends));
  for (const wire::Find::End& sought : find.ends()) {
    auto end = locate(context, asking, sought);
    if (!end) {
      auto tuple = wire::from_message(sought.tuple());
      return failure(
          std::move(end).error().while_doing(naming(context, tuple ? tuple->text() : "unreadable")));
    }
    ends_.push_back(*std::move(end));
  }
  if (ends_.empty()) return failure(ErrorCode::usage, "asked to find no end at all");
  SOCKSWAP_CHECK(find_holders(context));
  for (End& end : ends_)
    if (auto taken = take(context, end); !taken)
      return failure(std::move(taken).error().while_doing(naming(context, end.tuple.text())));
  SOCKSWAP_TRY(process::Pauser pauser, process::Pauser::make());
  pauser_ = std::move(pauser);
  return {};
}

Result<> PeerEnds::pause_holders(const Context& context) {
  const auto now = std::chrono::steady_clock::now();
  const auto fresh = [&](const End& end) { return process::is_fresh(end.holders, now); };
  if (!std::ranges::all_of(ends_, fresh)) SOCKSWAP_CHECK(find_holders(context));
  std::vector<process::Holder> holders;
  std::vector<std::uint32_t> inodes;
  for (const End& end : ends_) {
    inodes.push_back(end.inode);
    holders.insert(holders.end(), end.holders.begin(),
                   end.holders.end());  // one of several ends is taken once
  }
  auto paused = process::Paused::pause(*std::move(pauser_), holders, inodes, pause_deadline);
  pauser_.reset();
  if (!paused) return failure(std::move(paused).error());
  paused_ = *std::move(paused);
  return {};
}

Result<> PeerEnds::freeze_one(socket::Kernel& kernel, End& end) {
  SOCKSWAP_TRY(socket::FrozenEnd frozen,
               socket::FrozenEnd::freeze(kernel, std::move(end.fd), socket::Intent::stay));
  end.frozen = std::move(frozen);
  SOCKSWAP_TRY(socket::Image image, end.frozen->capture());
  end.staying = image.position;
  SOCKSWAP_CHECK(socket::check_agreement(end.staying, end.moving));
  SOCKSWAP_CHECK(socket::append_in_flight(image, end.moving.snd_una, end.in_flight));
  SOCKSWAP_CHECK(socket::cut_sent(image, end.moving.rcv_nxt));
  end.in_flight = {};
  end.image = std::move(image);
  return {};
}

Result<> PeerEnds::pause(const Context& context, const std::string& destination, const wire::Hold& hold,
                         std::vector<Bytes> in_flight) {
  if (static_cast<std::size_t>(hold.ends_size()) != ends_.size() || in_flight.size() != ends_.size())
    return failure(ErrorCode::disagreement, "asked to hold other ends than were found");
  for (std::size_t i = 0; i < in_flight.size(); ++i) {
    const wire::Hold::End& asked = hold.ends(static_cast<int>(i));
    const auto end = std::ranges::find(ends_, asked.index(), &End::index);
    if (end == ends_.end())
      return failure(ErrorCode::disagreement, "asked to hold another end than was found");
    end->moving = move::from_message(asked.moving());
    end->in_flight = std::move(in_flight[i]);
    if (end->in_flight.size() != static_cast<std::size_t>(end->moving.snd_nxt.since(end->moving.snd_una)))
      return failure(ErrorCode::disagreement, "what was in flight isn't what its position says");
    SOCKSWAP_TRY(end->place.local, wire::from_message(asked.new_local()));
    SOCKSWAP_TRY(end->place.remote, wire::from_message(asked.new_remote()));
    SOCKSWAP_CHECK(check_place(context, destination, end->tuple, end->place));
  }
  return pause_holders(context);
}

Result<std::vector<move::Peer::HeldEnd>> PeerEnds::freeze(socket::Kernel& kernel) {
  std::vector<move::Peer::HeldEnd> held;
  for (End& end : ends_) {
    if (auto frozen = freeze_one(kernel, end); !frozen)
      return failure(std::move(frozen).error().while_doing("hold " + end.tuple.text()));
    held.push_back({end.index, end.staying});
  }
  return held;
}

Result<> PeerEnds::repoint(End& end) {
  SOCKSWAP_TRY(socket::DormantEnd dormant, end.frozen->repoint(*end.image, end.place));
  end.frozen.reset();                           // the socket is the dormant end's now
  SOCKSWAP_TRY(const Fd ours, dormant.thaw());  // the holders have theirs
  return {};
}

move::LostEnds PeerEnds::swap() {
  move::LostEnds lost;
  for (End& end : ends_) {
    auto swapped = repoint(end);
    if (swapped) continue;
    lost[end.index] = {ErrorCode::lost, end.tuple.text() + ": " + swapped.error().text(),
                       "the program's end was disconnected", 0};
    if (end.frozen) static_cast<void>(end.frozen->release());
  }
  ends_.clear();
  return lost;
}

Result<> PeerEnds::resume() {
  if (!paused_) return {};
  auto resumed = paused_->resume();
  paused_.reset();
  return resumed;
}

Result<> PeerEnds::thaw() {
  Result<> outcome;
  for (End& end : ends_)
    if (end.frozen)
      if (auto thawed = end.frozen->thaw(); !thawed) outcome = std::move(thawed);
  ends_.clear();
  pauser_.reset();
  if (auto resumed = resume(); !resumed) outcome = std::move(resumed);
  return outcome;
}

std::vector<FourTuple> PeerEnds::tuples() const {
  std::vector<FourTuple> tuples;
  for (const End& end : ends_) tuples.push_back(end.tuple);
  return tuples;
}

}  // namespace sockswap::daemon
