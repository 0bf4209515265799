// One TCP end through its life in a move. The only room that knows TCP_REPAIR.
//
// The recipe, in call order:
//
//   the moving end, at its origin          the staying end, at its peer host
//   ------------------------------         ------------------------------------
//   check_movable(fd)                      check_movable(fd)
//   FrozenEnd::freeze(fd)                  (pause every holder first)
//   frozen.capture() -> Image              FrozenEnd::freeze(fd); capture()
//   … the commit …                         … the commit …
//   frozen.release()                       frozen.repoint(image, place) -> DormantEnd
//   or, before it, frozen.thaw()           dormant.thaw()   or, before it, frozen.thaw()
//
//   at the destination: reserve() -> Reservation;  rebuild(reservation, image) -> DormantEnd;
//   … the commit, and the staying end is re-pointed …;  dormant.thaw() -> Fd
//
// An end may be released, re-pointed or thawed elsewhere only after the *other* end is frozen: a
// stray segment that meets a host without that socket is answered by RST.
//
// The caller guarantees that no program touches the socket between freeze and the end of it. All
// objects here: one thread at a time. None of them blocks.
#pragma once

#include <memory>
#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "socket/image.h"
#include "socket/kernel.h"

namespace sockswap::socket {

// Refuses by name what a stock kernel can't move (ErrorCode::not_movable): not TCP, MPTCP, a ULP such
// as kernel TLS, a state other than ESTABLISHED, urgent data pending, a locked or an eBPF filter.
// Changes nothing; safe on a socket that is in use.
Result<> check_movable(Kernel& kernel, int fd);

class DormantEnd;

// What an end is frozen for. Reading the options is most of the time that freezing an idle end takes.
enum class Intent : std::uint8_t {
  move,  // its image has all options, to be rebuilt on another socket
  stay,  // its image has only those that re-pointing in place would lose, and can't be rebuilt elsewhere
};

// Where a rebuilt or re-pointed end is to live.
struct Place {
  Endpoint local;
  Endpoint remote;
};

// An end that neither sends nor receives: a filter drops what arrives, repair mode is on. Destroying
// it thaws it, best effort; call thaw() to learn whether that worked.
class FrozenEnd {
 public:
  // On failure the socket is as it was before (and the error says so if even that failed).
  static Result<FrozenEnd> freeze(Kernel& kernel, Fd fd, Intent intent = Intent::move);

  FrozenEnd(FrozenEnd&&) noexcept;
  FrozenEnd& operator=(FrozenEnd&&) noexcept;
  ~FrozenEnd();

  // Reads everything; changes nothing. Repeats while a segment that was past the filter when it was
  // attached still changes the sequence numbers.
  Result<Image> capture();

  // Undo: as it was, at the same 4-tuple. In-flight segments that were dropped meanwhile are
  // retransmitted by TCP itself; to TCP_USER_TIMEOUT the freeze is an outage like any other.
  Result<> thaw();

  // For a freeze that lasts: its program may run on, and meets what it would meet in an outage of the
  // network. It reads what had arrived, and writes until the buffer is full; nothing arrives, and nothing new
  // is sent (what was in flight may be sent again). TCP gives the connection up after some 15 minutes of it.
  // Before anything else is done with the end, freeze_again() with the program paused again, and capture()
  // anew. Options that the program sets meanwhile and that re-pointing would lose are lost.
  Result<> rest();
  Result<> freeze_again();

  // Ends the socket without a segment on the wire; every descriptor of it, in every process, is then
  // an unconnected socket (ENOTCONN). After the commit only.
  Result<> release();

  // The same kernel socket, descriptors and epoll registrations, now at `place` with the contents of
  // `image` (of this end, reconciled). May be called again after a failure: everything that it needs
  // is in `image`. A local address that the program bound explicitly can't change: not_movable.
  Result<DormantEnd> repoint(const Image& image, const Place& place);

  int fd() const;

 private:
  struct State;
  explicit FrozenEnd(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A local address and port held for an end that is to arrive.
struct Reservation {
  Fd fd;           // bound, not connected
  Endpoint local;  // what it got
};

// Binds `wanted`, which may share its port with a listener or with other connections, as accepted
// sockets do. With port 0 the kernel picks a free one. `remote`, if it is known, is what the end will talk
// to. no_resources or not_permitted on failure.
Result<Reservation> reserve(Kernel& kernel, int family, const Endpoint& wanted, const Endpoint& remote = {});

// A complete end that accepts what arrives for it (and acknowledges it) but sends nothing of its own
// and wakes nobody. Destroying it closes it silently.
class DormantEnd {
 public:
  DormantEnd(DormantEnd&&) noexcept;
  DormantEnd& operator=(DormantEnd&&) noexcept;
  ~DormantEnd();

  // Lets it go: repair off (which sends one window probe), then the not-yet-sent bytes are queued
  // without blocking, all of them. Afterwards the Fd is an ordinary socket.
  Result<Fd> thaw();

  int fd() const;

 private:
  friend class FrozenEnd;
  friend Result<DormantEnd> rebuild(Kernel&, Reservation, const Image&, const Endpoint&);
  struct State;
  explicit DormantEnd(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Rebuilds `image` (reconciled) on a reserved socket towards `remote`. On failure nothing was sent
// and the reservation is given up.
Result<DormantEnd> rebuild(Kernel& kernel, Reservation reservation, const Image& image,
                           const Endpoint& remote);

// The process that has this socket frozen, or had it when it was killed, by its own number: it has a
// descriptor of it as long as it lives. Nothing if nobody has. `fd`: of any kind.
std::optional<pid_t> frozen_by(Kernel& kernel, int fd);

enum class Rescue : std::uint8_t {
  thawed,        // it was whole, and goes on where it is
  disconnected,  // bytes of it died with that process: its program gets an error, and no hang
};
// Undoes what a process that was killed has left on a socket, frozen or half-way to another place. Its
// program may run meanwhile. not_found if frozen_by() says nothing. After another error it can be tried
// again.
Result<Rescue> rescue(Kernel& kernel, int fd);

}  // namespace sockswap::socket
