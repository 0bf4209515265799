// Questions and answers over one ControlConnection, and the events that come in between.
//
// Owns: the connection, the queue of events that came while an answer was awaited, and a descriptor that
// is readable whenever next_event() may have something to say, be it still in the socket or already queued.
// Invariant: between calls every reply that had arrived whole is queued, or dropped if nobody awaits it.
// Threads: one at a time.
// Failure: an error of the daemon's (Failed) leaves the dialogue as it was. Losing the daemon after it was
// asked to move ends leaves the outcome open: in_doubt. Losing it earlier is no_daemon, nothing happened.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "client/connection.h"
#include "client/event.h"

namespace sockswap::client {

// Called with each step of a move, in the thread that asks.
using OnStep = std::function<void(const wire::Step&)>;

class Dialogue {
 public:
  static Result<Dialogue> open(const std::string& path);

  wire::Request request() { return connection_.request(); }

  struct Luggage {
    std::span<const ByteView> attachments;
    std::span<const int> fds;
  };

  // Sends the request and waits for its answer, which must be of kind `expected`.
  Result<Incoming> ask(const wire::Request& request, wire::Reply::BodyCase expected, Luggage luggage,
                       const OnStep& on_step = {});

  // Sends a request that has no answer.
  Result<> tell(const wire::Request& request);

  // The next event; nullopt if none has come by the deadline. An event that made no sense is an error,
  // those after it are not lost.
  Result<std::optional<Event>> next_event(Deadline deadline);

  // A request to move ends has been sent and its outcome isn't known: true inside ask() and after it was
  // left by an exception; the question takes the mark away.
  bool take_unsettled() { return std::exchange(unsettled_, false); }

  int fd() const { return readiness_.get(); }

 private:
  Dialogue(ControlConnection connection, Fd readiness, Fd queued);
  Result<Incoming> await(std::uint64_t number, const OnStep& on_step);
  void sort_in(Incoming incoming);
  void collect() noexcept;

  ControlConnection connection_;
  Fd readiness_;  // epoll over the connection and queued_
  Fd queued_;     // eventfd: set while events_ has one, or the connection's end is to be told
  std::deque<Result<Event>> events_;
  bool unsettled_ = false;
  bool event_lost_ = false;
};

}  // namespace sockswap::client
