#include "lab/guest/words.h"

#include <sys/socket.h>

namespace sockswap::lab::guest {

using Json = nlohmann::json;

bool say(const Fd& line, const Json& words) {
  const std::string text = words.dump() + "\n";
  return ::send(line.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::optional<Json> take_line(std::string& unread) {
  const auto end = unread.find('\n');
  if (end == std::string::npos) return std::nullopt;
  Json words = Json::parse(unread.substr(0, end), nullptr, false);
  unread.erase(0, end + 1);
  return words;
}

}  // namespace sockswap::lab::guest
