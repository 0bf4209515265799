// sockswap-keeper without its connection: everything that moves have changed in the kernel, by move and role,
// and what requests do to it.
//
// Invariant: what is kept stays exactly as it is when the daemon goes away, at whatever instant; only the
// hold limit (peers.h) and the end of the keeper itself undo anything. A request never ends the keeper: what
// can't be done is answered by an error, and whatever it had begun is undone. One thread, besides the
// tracers'.
#pragma once

#include <chrono>
#include <filesystem>

#include "keeper/destinations.h"
#include "keeper/origins.h"
#include "keeper/peers.h"
#include "keeper/store.h"

namespace sockswap::keeper {

class Keeper {
 public:
  Keeper(HostAddresses& addresses, std::chrono::milliseconds hold_limit);

  // `daemon`: the connected one's process; sockets that it holds are as good as held by nobody.
  void set_daemon(pid_t daemon) { environment_.daemon = daemon; }

  // Any request but Hello.
  Answer serve(const wire::keeper::Request& request, std::vector<Bytes> attachments,
               std::vector<ForeignFd> fds);

  std::optional<Peers::Clock::time_point> next_deadline() const { return peers_.next_deadline(); }
  void on_time(Peers::Clock::time_point now) { peers_.on_time(now); }

  // Undoes what isn't committed here, lets all programs go, closes the rest: the daemon, or the keeper, ends
  // in order.
  void end_all();
  bool empty() const;

 private:
  Result<Answer> answer(const wire::keeper::Request& request, std::vector<Bytes> attachments,
                        std::vector<ForeignFd> fds);
  Result<Answer> answer_of_move(const move::MoveId& id, const wire::keeper::Request& request,
                                std::vector<Bytes> attachments, std::vector<ForeignFd> fds);

  Environment environment_;
  Origins origins_{environment_};
  Destinations destinations_{environment_};
  Peers peers_;
  Store store_{environment_};
};

}  // namespace sockswap::keeper
