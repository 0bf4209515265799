// One move that this host coordinates, from the request to the word to whoever asked.
#pragma once

#include <sys/types.h>

#include "daemon/origin_ends.h"
#include "daemon/running.h"
#include "move/origin.h"

namespace sockswap::daemon {

// What a program, or an operator through a program, asks for.
struct MoveOrder {
  std::vector<ForeignFd> fds;  // the ends
  Bytes state;                 // the application's
  std::string to;              // host
  std::string receiver;
  std::chrono::milliseconds deadline{10000};
  bool dry_run = false;                      // undone once everybody has agreed
  std::optional<FourTuple> connection = {};  // of a dry run: the end, in place of a descriptor
  pid_t asked_by = 0;  // the program that passed the descriptors; it doesn't touch them meanwhile
};

struct MoveReport {
  move::MoveId id;
  std::chrono::nanoseconds pause{};  // frozen here to "activated" heard from the destination
  std::shared_ptr<const MoveRecord> record;
};

class OriginMove : public Running<move::Origin, OriginMove> {
 public:
  struct Listener {
    std::function<void(const MoveRecord::Step&)> step;  // in order; those of a short freeze after it
    std::function<void(Result<MoveReport>)> done;       // once; after in_doubt, once more
  };

  // Checks everything that can be checked here, before any other host hears of it.
  static Result<std::unique_ptr<OriginMove>> prepare(Context& context, move::MoveId id, MoveOrder order,
                                                     Listener listener);

  // One that a daemon before this one had begun. Whoever asked for it is told nothing any more.
  static std::unique_ptr<OriginMove> restore(Context& context, move::Origin machine);

  void start() { run(machine_.start()); }
  void on_host_lost(const std::string& host, const Error& error) { run(machine_.on_host_lost(host, error)); }
  // Nobody waits for the outcome any more: undone unless it is committed.
  void cancel(Error error) { run(machine_.cancel(std::move(error))); }

 private:
  friend class Running<move::Origin, OriginMove>;
  OriginMove(Context& context, move::Origin machine, std::shared_ptr<MoveRecord> record,
             ConnectionLocks::Lock lock, OriginEnds ends, Bytes state, Listener listener);

  using Running::perform;
  void perform(move::action::Step& step);
  void perform(move::action::FreezeMoving&);
  void perform(move::action::SendState&);
  void perform(move::action::SendHold& hold);
  void perform(move::action::SendDeliver&);
  void perform(move::action::ReleaseMoving&);
  void perform(move::action::ThawMoving&);
  void perform(move::action::Conclude& conclude);

  void tell_steps();
  void tell_now_and_then();
  void drain();
  void freeze();

  ConnectionLocks::Lock lock_;
  OriginEnds ends_;
  Bytes state_;
  Listener listener_;
  std::size_t steps_told_ = 0;  // of record_
  asio::steady_timer telling_;
  // Since when the ends drain, when they last came on, and how much was left then.
  std::chrono::steady_clock::time_point drains_since_, drained_at_;
  std::uint64_t outstanding_ = UINT64_MAX;
  asio::steady_timer draining_;
};

}  // namespace sockswap::daemon
