#include "lab/stayer_calls.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace stayer {

void anomaly(const char* what, int error) {
  std::fprintf(stderr, "stayer: %s: %s\n", what, error == 0 ? "unexpected" : std::strerror(error));
  std::_Exit(3);  // not exit(): others of its threads may still run, or have ended and be joined by nobody
}

namespace {

std::size_t must(ssize_t result, const char* what) {
  if (result < 0) anomaly(what, errno);
  return static_cast<std::size_t>(result);
}

class Blocking : public Calls {
 public:
  explicit Blocking(int fd) : fd_(fd) {}
  std::size_t read(void* into, std::size_t size) override { return must(::recv(fd_, into, size, 0), "recv"); }
  std::size_t write(const void* from, std::size_t size) override {
    return must(::send(fd_, from, size, MSG_NOSIGNAL), "send");
  }

 protected:
  int fd_;
};

// A call with a timeout that ends with EAGAIN is an ordinary timeout: tried again. EINTR is none.
class Timeout : public Blocking {
 public:
  explicit Timeout(int fd) : Blocking(fd) {
    const timeval limit{.tv_sec = 2, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  std::size_t read(void* into, std::size_t size) override {
    for (;;)
      if (const ssize_t got = ::recv(fd_, into, size, 0); got >= 0 || errno != EAGAIN)
        return must(got, "recv");
  }
  std::size_t write(const void* from, std::size_t size) override {
    for (;;)
      if (const ssize_t sent = ::send(fd_, from, size, MSG_NOSIGNAL); sent >= 0 || errno != EAGAIN)
        return must(sent, "send");
  }
};

// Tries, and waits when there is nothing to do yet.
class Waiting : public Calls {
 public:
  explicit Waiting(int fd) : fd_(fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }
  std::size_t read(void* into, std::size_t size) override {
    for (;;) {
      const ssize_t got = ::recv(fd_, into, size, 0);
      if (got >= 0 || errno != EAGAIN) return must(got, "recv");
      wait(POLLIN);
    }
  }
  std::size_t write(const void* from, std::size_t size) override {
    for (;;) {
      const ssize_t sent = ::send(fd_, from, size, MSG_NOSIGNAL);
      if (sent >= 0 || errno != EAGAIN) return must(sent, "send");
      wait(POLLOUT);
    }
  }

 protected:
  virtual void wait(short events) = 0;
  int fd_;
};

class Poll : public Waiting {
 public:
  using Waiting::Waiting;

 private:
  void wait(short events) override {
    pollfd fd{fd_, events, 0};
    must(::poll(&fd, 1, -1), "poll");
    if (fd.revents & (POLLERR | POLLHUP)) anomaly("POLLERR or POLLHUP", 0);
  }
};

class Select : public Waiting {
 public:
  using Waiting::Waiting;

 private:
  void wait(short events) override {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd_, &set);
    must(::select(fd_ + 1, events == POLLIN ? &set : nullptr, events == POLLOUT ? &set : nullptr, nullptr,
                  nullptr),
         "select");
  }
};

// Never waits in the socket at all: asks again and again.
class Spin : public Waiting {
 public:
  using Waiting::Waiting;

 private:
  void wait(short) override {
    const timespec moment{.tv_sec = 0, .tv_nsec = 500'000};
    must(::nanosleep(&moment, nullptr), "nanosleep");
  }
};

class Epoll : public Waiting {
 public:
  Epoll(int fd, std::uint32_t mode) : Waiting(fd), epoll_(::epoll_create1(EPOLL_CLOEXEC)), mode_(mode) {
    must(epoll_, "epoll_create1");
  }

 private:
  void wait(short events) override {
    // One registration for the object's life: what it is for is known at the first wait.
    if (!registered_) {
      epoll_event event{.events = mode_ | (events == POLLIN ? EPOLLIN : EPOLLOUT), .data = {}};
      must(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event), "epoll_ctl");
      registered_ = true;
    }
    epoll_event event{};
    must(::epoll_wait(epoll_, &event, 1, -1), "epoll_wait");
    if (event.events & (EPOLLERR | EPOLLHUP)) anomaly("EPOLLERR or EPOLLHUP", 0);
  }

  int epoll_;
  std::uint32_t mode_;
  bool registered_ = false;
};

}  // namespace

std::unique_ptr<Calls> make_calls(std::string_view name, int fd) {
  if (name == "blocking") return std::make_unique<Blocking>(fd);
  if (name == "timeout") return std::make_unique<Timeout>(fd);
  if (name == "poll") return std::make_unique<Poll>(fd);
  if (name == "select") return std::make_unique<Select>(fd);
  if (name == "spin") return std::make_unique<Spin>(fd);
  if (name == "epoll-level") return std::make_unique<Epoll>(fd, 0);
  if (name == "epoll-edge") return std::make_unique<Epoll>(fd, EPOLLET);
  if (name == "io_uring") return make_uring_calls(fd);
  return nullptr;
}

}  // namespace stayer
