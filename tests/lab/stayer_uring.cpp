#include "lab/stayer_calls.h"

#ifdef HAVE_LIBURING
#include <liburing.h>
#include <sys/socket.h>

#include <cerrno>

namespace stayer {
namespace {

class Uring : public Calls {
 public:
  explicit Uring(int fd) : fd_(fd) {}
  ~Uring() override { ::io_uring_queue_exit(&ring_); }
  bool ready() { return ::io_uring_queue_init(8, &ring_, 0) == 0; }

  std::size_t read(void* into, std::size_t size) override {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_recv(entry, fd_, into, size, 0);
    return finish("io_uring recv");
  }
  std::size_t write(const void* from, std::size_t size) override {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_send(entry, fd_, from, size, MSG_NOSIGNAL);
    return finish("io_uring send");
  }

 private:
  std::size_t finish(const char* what) {
    if (const int result = ::io_uring_submit_and_wait(&ring_, 1); result < 0)
      anomaly("io_uring_enter", -result);
    io_uring_cqe* done = nullptr;
    if (const int result = ::io_uring_wait_cqe(&ring_, &done); result < 0)
      anomaly("io_uring_wait_cqe", -result);
    const int result = done->res;
    ::io_uring_cqe_seen(&ring_, done);
    if (result < 0) anomaly(what, -result);
    return static_cast<std::size_t>(result);
  }

  int fd_;
  io_uring ring_{};
};

}  // namespace

std::unique_ptr<Calls> make_uring_calls(int fd) {
  auto calls = std::make_unique<Uring>(fd);
  if (!calls->ready()) return nullptr;
  return calls;
}

}  // namespace stayer

#else

namespace stayer {
std::unique_ptr<Calls> make_uring_calls(int) { return nullptr; }
}  // namespace stayer

#endif
