#include "lab/guest/child.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "lab/guest/words.h"

namespace sockswap::lab {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr std::chrono::seconds kAnswersWithin{30};

enum class Heard { line, nothing_yet, nothing_more };

Heard hear(const Fd& line, std::string& unread, Json& words, Clock::time_point until) {
  for (;;) {
    if (auto line_of_it = guest::take_line(unread)) {
      words = *std::move(line_of_it);
      return words.is_object() ? Heard::line : Heard::nothing_more;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd waiting{.fd = line.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) == 0)
      return Heard::nothing_yet;
    std::array<char, 4096> buffer;
    const ssize_t got = ::recv(line.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0)
      unread.append(buffer.data(), static_cast<std::size_t>(got));
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
      return Heard::nothing_more;
  }
}

// `unread`: of what it says after that.
Result<Json> ask(const Fd& line, const Json& words, std::string& unread) {
  Json answer;
  if (!guest::say(line, words) || hear(line, unread, answer, Clock::now() + kAnswersWithin) != Heard::line)
    return failure(ErrorCode::unreachable, "a guest's agent doesn't answer");
  return answer;
}

}  // namespace

Result<Json> ask_agent(const Fd& line, const Json& words) {
  std::string unread;
  return ask(line, words, unread);
}

Result<std::shared_ptr<Child>> GuestChild::run(Fd line, const Json& words, const std::string& name) {
  std::string unread;
  SOCKSWAP_TRY(const Json answer, ask(line, words, unread));
  if (const int error = answer.value("error", 0); error != 0)
    return system_failure(error, "start " + name,
                          error == ENOENT ? ErrorCode::not_found : ErrorCode::internal);
  return std::make_shared<GuestChild>(std::move(line), answer.value("pid", -1), std::move(unread));
}

std::optional<ExitStatus> GuestChild::wait(std::chrono::milliseconds timeout) {
  const std::scoped_lock lock(mutex_);
  if (status_) return status_;
  Json words;
  switch (hear(line_, unread_, words, Clock::now() + timeout)) {
    case Heard::line: status_ = {.code = words.value("code", 255), .signal = words.value("signal", 0)}; break;
    case Heard::nothing_more: status_ = {.code = 0, .signal = SIGKILL}; break;  // the guest has gone
    case Heard::nothing_yet: break;
  }
  return status_;
}

Result<> GuestChild::kill(int signal) {
  // Whoever waits holds the lock; a line is one send().
  (void)guest::say(line_, {{"signal", signal}});
  return {};
}

}  // namespace sockswap::lab
