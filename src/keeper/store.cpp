#include "keeper/store.h"

#include "keeper/destination_ends.h"
#include "keeper/origin_ends.h"
#include "socket/end.h"

namespace sockswap::keeper {
namespace {

constexpr std::size_t longest_key = 128;
constexpr std::size_t most_keys = 1 << 16;

}  // namespace

Result<Answer> Store::store(const wire::keeper::Store& request, std::vector<ForeignFd> fds,
                            std::vector<Bytes> attachments) {
  if (request.key().empty() || request.key().size() > longest_key || fds.empty() || attachments.size() > 1)
    return failure(ErrorCode::usage, "nothing to store, or no key to store it under");
  if (kept_.contains(request.key())) return done();
  if (kept_.size() >= most_keys) return failure(ErrorCode::no_resources, "too many keys in store");
  for (const ForeignFd& fd : fds) SOCKSWAP_CHECK(socket::check_movable(environment_.kernel, fd.get()));
  kept_.emplace(request.key(), Kept{.owner = request.owner(),
                                    .fds = std::move(fds),
                                    .state = attachments.empty() ? Bytes{} : std::move(attachments.front())});
  return done();
}

std::vector<std::uint32_t> Store::living(const Kept& kept) const {
  std::vector<std::uint32_t> inodes;
  for (const ForeignFd& fd : kept.fds)
    if (const auto end = look_at(environment_.kernel, fd.get())) inodes.push_back(end->inode);
  return inodes;
}

Result<Answer> Store::take(const wire::keeper::Take& request) {
  const auto known = kept_.find(request.key());
  std::vector<std::uint32_t> inodes;
  if (known != kept_.end()) inodes = living(known->second);
  if (inodes.empty()) {
    kept_.erase(request.key());
    return failure(ErrorCode::not_found, "nothing is in store under that key");
  }
  SOCKSWAP_CHECK(environment_.frozen.lock(std::move(inodes)));  // given back at once
  Answer answer = done();
  answer.attachments.push_back(known->second.state);
  for (const ForeignFd& fd : known->second.fds) {
    give_to(request.owner(), fd.get());
    answer.fds.push_back(fd.get());
  }
  return answer;
}

Result<Answer> Store::discard(const std::string& key) {
  kept_.erase(key);
  return done();
}

void Store::drop_ended() {
  std::erase_if(kept_, [this](const auto& kept) { return living(kept.second).empty(); });
}

void Store::list(wire::keeper::Kept& kept) const {
  for (const auto& [key, what] : kept_) {
    auto& out = *kept.add_stored();
    out.set_key(key);
    out.set_owner(what.owner);
    out.set_descriptors(static_cast<std::uint32_t>(what.fds.size()));
    out.set_bytes(what.state.size());
  }
}

}  // namespace sockswap::keeper
