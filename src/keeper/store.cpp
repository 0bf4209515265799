#include "keeper/store.h"

#include "keeper/destination_ends.h"
#include "socket/end.h"

namespace sockswap::keeper {
namespace {

constexpr std::size_t longest_key = 128;
constexpr std::size_t most_keys = 1 << 16;

}  // namespace

Result<Answer> Store::store(const std::string& key, std::vector<ForeignFd> fds) {
  if (key.empty() || key.size() > longest_key || fds.empty())
    return failure(ErrorCode::usage, "nothing to store, or no key to store it under");
  if (kept_.contains(key)) return done();
  if (kept_.size() >= most_keys) return failure(ErrorCode::no_resources, "too many keys in store");
  for (const ForeignFd& fd : fds) SOCKSWAP_CHECK(socket::check_movable(environment_.kernel, fd.get()));
  kept_.emplace(key, std::move(fds));
  return done();
}

Result<Answer> Store::take(const wire::keeper::Take& request) const {
  const auto known = kept_.find(request.key());
  if (known == kept_.end()) return failure(ErrorCode::not_found, "nothing is in store under that key");
  Answer answer = done();
  for (const ForeignFd& fd : known->second) {
    give_to(request.owner(), fd.get());
    answer.fds.push_back(fd.get());
  }
  return answer;
}

Result<Answer> Store::discard(const std::string& key) {
  kept_.erase(key);
  return done();
}

void Store::list(wire::keeper::Kept& kept) const {
  for (const auto& [key, fds] : kept_) kept.add_keys(key);
}

}  // namespace sockswap::keeper
