#include "daemon/receivers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sockswap::daemon {

Result<> Receivers::check_name(std::string_view name, ErrorCode code) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::size_t longest_name = 64;
  if (!name.empty() && name.size() <= longest_name &&
      name.find_first_not_of(allowed) == std::string_view::npos)
    return {};
  return failure(code, fmt::format("'{:.64}' is not a receiver's name", name),
                 "1 to 64 letters, digits, dots, underscores and dashes");
}

Result<> Receivers::add(const std::string& name, std::weak_ptr<Receiver> receiver) {
  SOCKSWAP_CHECK(check_name(name));
  const auto [place, fresh] = by_name_.try_emplace(name, receiver);
  if (!fresh) {
    const auto holder = place->second.lock();
    if (holder && holder == receiver.lock()) return {};
    if (holder)
      return failure(ErrorCode::busy, fmt::format("another program is registered as '{}' here", name),
                     "choose another name, or end that program first");
    place->second = std::move(receiver);
  }
  if (on_added) on_added(name);
  return {};
}

void Receivers::remove(const std::string& name, const Receiver* receiver) {
  const auto place = by_name_.find(name);
  if (place == by_name_.end()) return;
  const auto holder = place->second.lock();
  if (holder && holder.get() != receiver) return;
  by_name_.erase(place);
  if (on_gone) on_gone(name);
}

Result<std::shared_ptr<Receiver>> Receivers::find(const std::string& name) const {
  if (const auto place = by_name_.find(name); place != by_name_.end())
    if (auto receiver = place->second.lock()) return receiver;
  std::vector<std::string> names;
  for (const auto& [known, receiver] : by_name_)
    if (!receiver.expired()) names.push_back(known);
  return failure(ErrorCode::unknown_receiver, fmt::format("no program is registered as '{}'", name),
                 names.empty() ? "none is registered there; start the receiving program first"
                               : fmt::format("registered there: {}", fmt::join(names, ", ")));
}

std::vector<std::string> Receivers::names_of(const Receiver* receiver) const {
  std::vector<std::string> names;
  for (const auto& [name, known] : by_name_)
    if (known.lock().get() == receiver) names.push_back(name);
  return names;
}

}  // namespace sockswap::daemon
