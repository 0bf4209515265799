#include "lab/process.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

namespace sockswap::lab {
namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_until(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

// Takes what is there; closes `from` at its end.
void take(Fd& from, std::string& to) {
  std::array<char, 65536> buffer;
  const ssize_t length = ::read(from.get(), buffer.data(), buffer.size());
  if (length > 0)
    to.append(buffer.data(), static_cast<std::size_t>(length));
  else if (length == 0 || (errno != EAGAIN && errno != EINTR))
    from.reset();
}

// While it lives, a write to a program that has gone gives EPIPE and no signal.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;
  ~NoPipeSignal() {
    if (::sigismember(&before_, SIGPIPE) != 0) return;
    const timespec at_once{};
    while (::sigtimedwait(&pipe_, nullptr, &at_once) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_, before_;
};

}  // namespace

Process::Process(std::shared_ptr<Child> child, Fd in, Fd out, Fd err, std::string name)
    : child_(std::move(child)),
      in_(std::move(in)),
      out_(std::move(out)),
      err_(std::move(err)),
      name_(std::move(name)) {}

Result<ExitStatus> Process::wait(std::chrono::milliseconds timeout) {
  if (const auto status = child_->wait(timeout)) return *status;
  return failure(ErrorCode::timed_out, fmt::format("{} still runs after {} ms", name_, timeout.count()));
}

Result<> Process::write(std::string_view text) {
  const NoPipeSignal guard;
  while (!text.empty()) {
    const ssize_t written = ::write(in_.get(), text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{.fd = in_.get(), .events = POLLOUT, .revents = 0};
      if (::poll(&room, 1, milliseconds_until(Clock::now() + kPatience)) == 0)
        return failure(ErrorCode::timed_out, name_ + " doesn't read its input");
    } else if (errno != EINTR) {
      return system_failure(errno, "write to the input of " + name_);
    }
  }
  return {};
}

Result<bool> Process::fill(Clock::time_point until) {
  std::array<pollfd, 2> waiting{{{.fd = out_.get(), .events = POLLIN, .revents = 0},
                                 {.fd = err_.get(), .events = POLLIN, .revents = 0}}};
  if (!out_ && !err_) return false;
  const int ready = ::poll(waiting.data(), waiting.size(), milliseconds_until(until));
  if (ready == 0) return failure(ErrorCode::timed_out, "no output from " + name_);
  if (ready > 0 && waiting[0].revents != 0) take(out_, out_text_);
  if (ready > 0 && waiting[1].revents != 0) take(err_, err_text_);
  return true;
}

Result<std::optional<std::string>> Process::read_line(std::chrono::milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  for (;;) {
    if (const auto end = out_text_.find('\n'); end != std::string::npos) {
      std::string line = out_text_.substr(0, end);
      out_text_.erase(0, end + 1);
      return line;
    }
    if (!out_) {
      if (out_text_.empty()) return std::nullopt;
      return std::exchange(out_text_, {});
    }
    SOCKSWAP_CHECK(fill(until));
  }
}

Result<std::string> Process::read_all(std::chrono::milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  while (out_) SOCKSWAP_CHECK(fill(until));
  return std::exchange(out_text_, {});
}

Result<Output> Process::finish(std::chrono::milliseconds timeout) {
  close_input();
  const auto until = Clock::now() + timeout;
  for (bool more = true; more;) {
    auto filled = fill(until);
    if (!filled) {
      (void)kill(SIGKILL);
      return failure(std::move(filled.error()));
    }
    more = *filled;
  }
  auto status = wait(std::chrono::milliseconds(milliseconds_until(until)));
  if (!status) {
    (void)kill(SIGKILL);
    return failure(std::move(status.error()));
  }
  return Output{*status, std::exchange(out_text_, {}), std::exchange(err_text_, {})};
}

}  // namespace sockswap::lab
