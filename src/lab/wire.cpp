#include "lab/wire.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "lab/wire_lane.h"

namespace sockswap::lab {
namespace {

// libstdc++'s steady_clock is CLOCK_MONOTONIC, so its time points are the timer's.
void arm(int timer, std::optional<std::chrono::steady_clock::time_point> at) {
  itimerspec spec{};
  if (at) {
    const auto since = std::max<std::int64_t>(1, at->time_since_epoch() / std::chrono::nanoseconds(1));
    spec.it_value = {.tv_sec = since / 1'000'000'000, .tv_nsec = since % 1'000'000'000};
  }
  ::timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, nullptr);
}

std::optional<std::chrono::steady_clock::time_point> sooner(
    std::optional<std::chrono::steady_clock::time_point> a,
    std::optional<std::chrono::steady_clock::time_point> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

bool watch(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Result<std::unique_ptr<Wire>> Wire::start(Fd near_tap, Fd far_tap, const LinkQuality& quality,
                                          std::uint64_t seed) {
  std::unique_ptr<Wire> wire(new Wire);
  wire->taps_ = {std::move(near_tap), std::move(far_tap)};
  wire->stop_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  wire->timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!wire->stop_ || !wire->timer_) return system_failure(errno, "make a wire", ErrorCode::no_resources);
  wire->lanes_[0] = std::make_unique<Lane>(wire->taps_[0].get(), wire->taps_[1].get(), seed * 2);
  wire->lanes_[1] = std::make_unique<Lane>(wire->taps_[1].get(), wire->taps_[0].get(), seed * 2 + 1);
  wire->quality_ = quality;

  // Signals are for the owner's threads.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  wire->thread_ = std::thread(&Wire::carry, wire.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return wire;
}

Wire::~Wire() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  while (::write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
}

void Wire::carry() {
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  for (const int fd : {stop_.get(), timer_.get(), taps_[0].get(), taps_[1].get()})
    if (!watch(epoll.get(), fd)) return;

  std::array<epoll_event, 4> events;
  for (;;) {
    const int ready = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
    if (ready < 0 && errno != EINTR) return;
    const LinkQuality now_asked = quality();
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == stop_.get()) return;
      const auto now = std::chrono::steady_clock::now();
      if (fd == taps_[0].get()) lanes_[0]->take_in(now_asked, now);
      if (fd == taps_[1].get()) lanes_[1]->take_in(now_asked, now);
    }
    for (const auto& lane : lanes_) lane->let_out(std::chrono::steady_clock::now());
    // Setting a timer also forgets that it has expired, so it need not be read.
    arm(timer_.get(), sooner(lanes_[0]->next(), lanes_[1]->next()));
  }
}

LinkQuality Wire::quality() const {
  const std::scoped_lock lock(mutex_);
  return quality_;
}

void Wire::set_quality(const LinkQuality& quality) {
  const std::scoped_lock lock(mutex_);
  quality_ = quality;
}

WireStatistics Wire::outward() const { return lanes_[0]->statistics(); }
WireStatistics Wire::inward() const { return lanes_[1]->statistics(); }

}  // namespace sockswap::lab
