#include "client/dialogue.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <new>

#include "wire/errors.h"

namespace sockswap::client {
namespace {

bool moves_ends(const wire::Request& request) {
  return request.has_move() || request.has_park() || request.has_have_moved() ||
         (request.has_move_connection() && !request.move_connection().dry_run());
}

Error in_doubt(const Error& cause) {
  return {.code = ErrorCode::in_doubt,
          .message = fmt::format("the daemon was asked, but its answer never came: {}", cause.text()),
          .hint =
              "whether the ends have moved is not known here: see `sockswap moves`; if the move was undone "
              "the descriptors work as before",
          .sys_errno = 0};
}

bool watch(const Fd& readiness, int fd) {
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.fd = fd;
  return ::epoll_ctl(readiness.get(), EPOLL_CTL_ADD, fd, &interest) == 0;
}

}  // namespace

Dialogue::Dialogue(ControlConnection connection, Fd readiness, Fd queued)
    : connection_(std::move(connection)), readiness_(std::move(readiness)), queued_(std::move(queued)) {}

Result<Dialogue> Dialogue::open(const std::string& path) {
  SOCKSWAP_TRY(ControlConnection connection, ControlConnection::connect(path));
  Fd readiness(::epoll_create1(EPOLL_CLOEXEC));
  Fd queued(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!readiness || !queued || !watch(readiness, connection.fd()) || !watch(readiness, queued.get()))
    return system_failure(errno, "setting up the descriptor to wait for", ErrorCode::no_resources);
  return Dialogue(std::move(connection), std::move(readiness), std::move(queued));
}

Result<Incoming> Dialogue::ask(const wire::Request& request, wire::Reply::BodyCase expected, Luggage luggage,
                               const OnStep& on_step) {
  const auto sent = connection_.send(request, luggage.attachments, luggage.fds);
  if (!sent && connection_.usable()) return failure(sent.error());
  unsettled_ = sent && moves_ends(request);
  // Even a request that was cut short may have been answered: a refusal outweighs the broken pipe.
  auto answer = await(request.number(), on_step);
  if (answer && !answer->reply.has_failed() && answer->reply.body_case() != expected)
    answer = failure(ErrorCode::internal, "the daemon gave an answer of another kind");
  const bool open_outcome = take_unsettled();
  collect();
  if (!answer) return failure(open_outcome ? in_doubt(answer.error()) : std::move(answer).error());
  if (answer->reply.has_failed()) return failure(wire::from_message(answer->reply.failed().error()));
  return answer;
}

Result<> Dialogue::tell(const wire::Request& request) {
  auto sent = connection_.send(request);
  collect();
  return sent;
}

Result<Incoming> Dialogue::await(std::uint64_t number, const OnStep& on_step) {
  for (;;) {
    SOCKSWAP_TRY(std::optional<Incoming> incoming, connection_.receive(never));
    if (incoming->reply.number() != number) {
      sort_in(std::move(*incoming));
    } else if (incoming->reply.has_progress()) {
      if (on_step) on_step(incoming->reply.progress().step());
    } else {
      return std::move(*incoming);
    }
  }
}

// A reply that is no event and that nobody awaits answers a question that has been given up; descriptors
// that come with it are closed here.
void Dialogue::sort_in(Incoming incoming) {
  if (Event::is_event(incoming.reply)) events_.push_back(Event::from(std::move(incoming)));
}

// Want of memory here must not cost the caller the answer that it already has: next_event() tells.
void Dialogue::collect() noexcept {
  try {
    for (;;) {
      auto incoming = connection_.receive(at_once);
      if (!incoming || !*incoming) break;
      sort_in(std::move(**incoming));
    }
  } catch (const std::bad_alloc&) {
    event_lost_ = true;
  }
  if (event_lost_ || !events_.empty() || !connection_.usable()) {
    ::eventfd_write(queued_.get(), 1);
  } else {
    eventfd_t drained = 0;
    ::eventfd_read(queued_.get(), &drained);
  }
}

Result<std::optional<Event>> Dialogue::next_event(Deadline deadline) {
  if (std::exchange(event_lost_, false))
    return failure(ErrorCode::no_resources, "an event was lost for want of memory");
  while (events_.empty()) {
    auto incoming = connection_.receive(deadline);
    if (!incoming || !*incoming) {
      collect();
      if (!incoming) return failure(std::move(incoming).error());
      return std::nullopt;
    }
    sort_in(std::move(**incoming));
  }
  Result<Event> event = std::move(events_.front());
  events_.pop_front();
  collect();
  return event;
}

}  // namespace sockswap::client
