// sockswapd's side of the connection to its keeper: everything that needs privilege, one call a request.
//
// Each call blocks until the keeper has answered: some tens of microseconds as a rule, a pause of programs
// 250 ms and a short grace at most. A keeper that doesn't answer within `patience`, or has gone, is an error
// of every call from then on (no_daemon), and on_broken is called once: the daemon has to end, and its
// successor to look at what is kept. One thread.
//
// What belongs to a move is named by its id and the role that the call is of. Every call may be made again,
// also by another daemon after this one was killed, and has the same answer then. Calls that end something
// (release, thaw, drop, hand over, resume, forget, discard) succeed for what the keeper doesn't know.
#pragma once

#include <google/protobuf/repeated_field.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "keep/channel.h"
#include "keep/kept.h"
#include "move/id.h"
#include "move/lost_ends.h"
#include "socket/image.h"
#include "wire/keeper.pb.h"
#include "wire/session.pb.h"

namespace sockswap::keep {

inline constexpr std::uint32_t protocol_version = 1;
inline constexpr std::chrono::milliseconds patience{5000};
// For a keeper that may just have been started: it looks at every socket here before it serves anybody.
inline constexpr std::chrono::milliseconds patience_with_start{60'000};

// ---- origin ----
struct Movable {
  FourTuple tuple;
  int family = 0;  // AF_INET or AF_INET6
};
struct FrozenMoving {
  socket::Position position;  // as frozen
  wire::Image image;          // with nothing in flight any more, as Deliver carries it
  Bytes received;
  Bytes unsent;
  Bytes in_flight;  // [snd_una, snd_nxt) of `position`
};

// ---- destination ----
struct Arriving {
  FourTuple former;  // as the origin's program saw it
  int family = 0;
  Endpoint wanted;  // where it is to live: an address of this host's; another port if that one is taken
  Endpoint remote;  // what it will talk to
};
struct LetGone {
  struct End {
    std::uint32_t index = 0;
    Fd fd;  // an ordinary socket
  };
  std::vector<End> live;
  move::LostEnds lost;  // those that could not be thawed
};

// ---- peer ----
struct Sought {
  std::uint32_t index = 0;  // in the move
  FourTuple tuple;          // as the staying end sees it
};
struct Holding {
  std::uint32_t index = 0;
  socket::Position moving;  // of the moving end, as frozen
  Endpoint new_local;       // where the staying end will be
  Endpoint new_remote;
  ByteView in_flight;  // the moving end's: [snd_una, snd_nxt) of `moving`
};
// Who says whether the move is committed. The swap of an arbiter's ends *is* the commit, so the keeper may
// undo its hold for certain as long as nothing is swapped, and does so after its hold limit: no program that
// knows nothing of us stays stopped because a daemon doesn't come back.
enum class Arbiter : std::uint8_t { elsewhere, here };
struct HeldStaying {
  struct End {
    std::uint32_t index = 0;
    socket::Position position;
  };
  std::vector<End> ends;
  std::chrono::microseconds paused{};  // from the request to when the programs stood still
};
struct Swapped {
  bool undone_already = false;  // by the keeper (hold limit), or by undo(): nothing has been swapped, ever
  move::LostEnds lost;
};
struct Undone {
  bool swapped_already = false;  // the move is committed: it can't be undone any more
  move::LostEnds lost;           // of that swap
};

// ---- listing ----
struct Holder {
  pid_t pid = 0;
  uid_t uid = 0;
  std::string command;
  std::vector<int> descriptors;
};
struct Connection {
  FourTuple tuple;
  std::uint8_t state = 0;  // TCP_ESTABLISHED …
  uid_t uid = 0;
  std::uint32_t receive_queue = 0;  // bytes
  std::uint32_t send_queue = 0;
  bool has_md5_key = false;
  std::vector<Holder> holders;  // without sockswap's own
  std::string not_pausable;     // why not; empty if they can be
};

class Client {
 public:
  // busy: another daemon is connected. no_daemon: nobody listens there. not_permitted: somebody does who may
  // not.
  static Result<Client> connect(const std::filesystem::path& path);

  std::function<void(const Error&)> on_broken;
  // Readable (end of file) when the keeper has ended.
  int alive() const { return alive_.get(); }
  // A UUID, new with each keeper: what was written down of another one is about sockets that are gone.
  const std::string& life() const { return life_; }

  // Can they move, and does nobody hold them but `asked_by` (0: nobody at all) and sockswap? Changes nothing.
  Result<std::vector<Movable>> check_moving(std::span<const int> fds, pid_t asked_by);
  Result<Movable> check_moving(const FourTuple& connection, pid_t asked_by);
  // Freezes and captures all, or none. too_large if their queues have more than `most_bytes` together. Of a
  // move that is frozen already no `fds` are needed.
  Result<std::vector<FrozenMoving>> freeze_moving(const move::MoveId& id, std::span<const int> fds,
                                                  std::uint64_t most_bytes);
  Result<> release_moving(
      const move::MoveId& id);                   // an end that can't be released is an error, but forgotten
  Result<> thaw_moving(const move::MoveId& id);  // likewise

  // Binds a local endpoint for each: where they will live.
  Result<std::vector<Endpoint>> reserve(const move::MoveId& id, std::span<const Arriving> ends);
  // `queues`: received and unsent bytes of each. All, or none: after an error the reservations are gone, too.
  Result<> rebuild(const move::MoveId& id, const google::protobuf::RepeatedPtrField<wire::Image>& images,
                   std::span<const Bytes> queues);
  // Thaws all but those that are `lost`; these are closed, silently. The others become the user `owner`'s.
  Result<LetGone> let_go(const move::MoveId& id, const move::LostEnds& lost, uid_t owner);
  Result<> handed_over(const move::MoveId& id);  // the keeper closes its copies
  Result<> drop(const move::MoveId& id);         // silently. usage if they are let go

  // Finds the ends and their holders, and refuses whatever can be refused before anything is frozen. Whether
  // the asking host may have them re-pointed is the caller's to check.
  Result<> find(const move::MoveId& id, std::span<const Sought> ends);
  // Pauses, freezes, captures. After an error everything is as it was, and forgotten.
  Result<HeldStaying> hold(const move::MoveId& id, Arbiter arbiter, std::span<const Holding> ends);
  // Re-points and thaws all. What failed is lost: it is disconnected, so that its program gets an error and
  // not a hang. The programs still stand still.
  Result<Swapped> swap(const move::MoveId& id);
  Result<> resume(const move::MoveId& id);  // lets the programs of a swapped move go
  Result<Undone> undo(const move::MoveId& id);
  Result<> forget(const move::MoveId& id);  // that it was swapped, or undone. usage while it is held

  Result<std::vector<Connection>> connections();
  Result<std::optional<Connection>> connection(const FourTuple& tuple);

  // Connected TCP sockets that can move, and what belongs to them. A key that is known keeps what it has.
  Result<> store(const std::string& key, uid_t owner, std::span<const int> fds, ByteView state);
  struct Taken {
    std::vector<Fd> fds;
    Bytes state;
  };
  // They stay in store. not_found, also if none of the connections lives; busy if one is frozen.
  Result<Taken> take(const std::string& key, uid_t owner);
  Result<> discard(const std::string& key);

  // hosts.toml as it is now, which the keeper takes over with that.
  Result<std::string> read_hosts();

  Result<Inventory> inventory();
  // The daemon ends in order: what isn't swapped is undone, what is in store closed, control.sock removed.
  Result<> goodbye();

 private:
  struct Answer {
    wire::keeper::Reply reply;
    std::vector<Bytes> attachments;
    std::vector<Fd> fds;
  };
  explicit Client(Channel channel) : channel_(std::move(channel)) {}

  Result<> greet();
  Result<Answer> call(const wire::keeper::Request& request, wire::keeper::Reply::BodyCase expected,
                      std::span<const ByteView> attachments = {}, std::span<const int> fds = {});
  Result<> done(const wire::keeper::Request& request, std::span<const int> fds = {});
  tl::unexpected<Error> broken(Error error);
  Result<std::vector<Connection>> list(const wire::keeper::Request& request);

  std::optional<Channel> channel_;  // none: broken
  Fd alive_;
  std::string life_;
  std::string encoded_;
};

}  // namespace sockswap::keep
