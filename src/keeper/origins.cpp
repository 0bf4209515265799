#include "keeper/origins.h"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>

#include "base/log.h"
#include "keeper/holders.h"
#include "move/images.h"
#include "process/sock_diag.h"
#include "wire/endpoints.h"

namespace sockswap::keeper {
namespace {

// Others that share the socket would be cut off without having agreed to it.
Result<> check_unshared(const std::vector<process::Holder>& holders, const FourTuple& tuple, pid_t asked_by) {
  for (const process::Holder& holder : holders)
    if (holder.pid != asked_by)
      return failure(
          ErrorCode::not_movable,
          fmt::format("{} is shared with {} (process {})", tuple.text(), holder.command, holder.pid),
          "close it in all processes but the one that hands it over");
  return {};
}

// The program's own descriptor, for a look: nobody passes one in for a move that is only tried out.
Result<Fd> find_descriptor(const Environment& environment, const FourTuple& tuple, pid_t asked_by) {
  SOCKSWAP_TRY(const auto entry, process::find_connection(tuple));
  if (!entry)
    return failure(ErrorCode::not_found, fmt::format("no connection {} here", tuple.text()),
                   "`sockswap ls` shows those that there are");
  SOCKSWAP_TRY(const process::Holders holders, holders_of(environment, std::span(&entry->inode, 1)));
  const auto& held_by = holders.at(entry->inode);
  const auto holder = std::ranges::find(held_by, asked_by, &process::Holder::pid);
  if (holder == held_by.end())
    return failure(ErrorCode::not_found,
                   fmt::format("process {} no longer holds {}", asked_by, tuple.text()));
  return process::take_descriptor(*holder, entry->inode);
}

}  // namespace

Result<Answer> Origins::check(const wire::keeper::CheckMoving& request, const std::vector<ForeignFd>& fds) {
  const auto asked_by = static_cast<pid_t>(request.asked_by());
  if (request.connections_size() > most_ends)
    return failure(ErrorCode::too_large, fmt::format("{} ends at once", request.connections_size()));
  std::vector<int> numbers;
  std::vector<Fd> found;
  for (const ForeignFd& fd : fds) numbers.push_back(fd.get());
  for (const wire::FourTuple& message : request.connections()) {
    SOCKSWAP_TRY(const FourTuple tuple, wire::from_message(message));
    SOCKSWAP_TRY(Fd fd, find_descriptor(environment_, tuple, asked_by));
    numbers.push_back(fd.get());
    found.push_back(std::move(fd));
  }
  std::vector<OpenEnd> ends;
  std::vector<std::uint32_t> inodes;
  for (const int fd : numbers) {
    SOCKSWAP_CHECK(socket::check_movable(environment_.kernel, fd));
    SOCKSWAP_TRY(const OpenEnd end, look_at(environment_.kernel, fd));
    ends.push_back(end);
    inodes.push_back(end.inode);
  }
  SOCKSWAP_TRY(const process::Holders holders, holders_of(environment_, inodes));
  Answer answer;
  answer.reply.mutable_checked();
  for (const OpenEnd& end : ends) {
    SOCKSWAP_CHECK(check_unshared(holders.at(end.inode), end.tuple, asked_by));
    auto& out = *answer.reply.mutable_checked()->add_ends();
    wire::to_message(end.tuple, *out.mutable_tuple());
    out.set_family(move::to_message(end.family));
  }
  return answer;
}

Result<Answer> Origins::freeze(const move::MoveId& id, const wire::keeper::FreezeMoving& request,
                               std::vector<ForeignFd> fds) {
  if (const auto known = moves_.find(id); known != moves_.end()) return known->second.answer();
  if (fds.empty()) return failure(ErrorCode::not_found, "the keeper has no frozen ends of this move");
  if (moves_.size() >= most_moves) return failure(ErrorCode::no_resources, "too many moves at once");
  SOCKSWAP_TRY(OriginEnds ends, OriginEnds::freeze(environment_, std::move(fds), request.most_bytes()));
  return moves_.emplace(id, std::move(ends)).first->second.answer();
}

Result<Answer> Origins::release(const move::MoveId& id) {
  auto ends = moves_.extract(id);
  if (!ends.empty()) SOCKSWAP_CHECK(ends.mapped().release());
  return done();
}

Result<Answer> Origins::thaw(const move::MoveId& id) {
  auto ends = moves_.extract(id);
  if (!ends.empty()) SOCKSWAP_CHECK(ends.mapped().thaw());
  return done();
}

void Origins::thaw_all() {
  for (auto& [id, ends] : moves_)
    if (auto thawed = ends.thaw(); !thawed)
      log::error("move {}: a moving end could not be thawed: {}", id.text(), thawed.error().text());
  moves_.clear();
}

void Origins::list(wire::keeper::Kept& kept) const {
  for (const auto& [id, ends] : moves_) {
    auto& out = *kept.add_moves();
    out.set_move_id(id.bytes());
    out.set_role(wire::ORIGIN);
    out.set_stage(static_cast<std::uint32_t>(keep::Stage::frozen));
    for (const FourTuple& tuple : ends.tuples()) wire::to_message(tuple, *out.add_ends());
  }
}

}  // namespace sockswap::keeper
