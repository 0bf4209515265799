// The staying ends on their host: found, held, re-pointed in place, as one set.
#pragma once

#include <optional>
#include <vector>

#include "daemon/context.h"
#include "move/peer.h"
#include "process/holders.h"
#include "process/pause.h"
#include "socket/end.h"

namespace sockswap::daemon {

class PeerEnds {
 public:
  // Finds every end, and refuses whatever can be refused before anything is frozen: not here, not
  // movable, no holder that can be paused, or not the asking host's to re-point.
  Result<> find(const Context& context, const std::string& asking, const wire::Find& find);

  // Pauses the holders, once it is clear that the ends may go where they are to go. `in_flight`: Hold's
  // attachments.
  Result<> pause(const Context& context, const std::string& destination, const wire::Hold& hold,
                 std::vector<Bytes> in_flight);

  // After pause(): freezes and captures, and prepares all that swap() will need. After a failure of either,
  // thaw() makes everything as it was.
  Result<std::vector<move::Peer::HeldEnd>> freeze(socket::Kernel& kernel);

  // After the commit: re-points all and thaws them. What failed is listed, and disconnected, so that its
  // program gets an error and not a hang; the others go on. The holders still stand still.
  move::LostEnds swap();

  // After swap(): lets the holders go.
  Result<> resume();

  // Undo: thaws, and lets the holders go.
  Result<> thaw();

  std::vector<FourTuple> tuples() const;

 private:
  struct End {
    std::uint32_t index = 0;  // in the move
    FourTuple tuple;          // as it was
    std::uint32_t inode = 0;
    std::vector<process::Holder> holders;
    Fd fd;                    // until frozen
    socket::Position moving;  // from Hold
    Bytes in_flight;          // from Hold: the moving end's [snd_una, snd_nxt)
    socket::Place place;      // from Hold
    std::optional<socket::FrozenEnd> frozen;
    std::optional<socket::Image> image;  // with nothing in flight any more
    socket::Position staying;            // as captured
  };
  static Result<End> locate(const Context& context, const std::string& asking, const wire::Find::End& sought);
  Result<> find_holders(const Context& context);  // of all ends, and whether they can be paused
  static Result<> take(const Context& context, End& end);
  Result<> pause_holders(const Context& context);
  static Result<> freeze_one(socket::Kernel& kernel, End& end);
  static Result<> repoint(End& end);

  std::optional<process::Pauser> pauser_;  // from find() to hold()
  std::optional<process::Paused> paused_;  // before ends_: the ends thaw first, then the programs run
  std::vector<End> ends_;
};

}  // namespace sockswap::daemon
