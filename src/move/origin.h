// The origin's part of a move: it coordinates. No I/O; see actions.h.
//
//   asking ──all accepted, found──▶ holding ──all held, ready──▶ deciding ──the arbiter swapped──▶ swapping
//     │  └─▶ bringing ──state taken──▶ │                          │    │        (commit)             │
//     └────────┴─ any failure ─▶ undoing ◀─── it has undone ──────┘    │                             │ all
//     swapped
//                                   ▲                 it has forgotten │                             ▼
//                                   └── undone there ── doubting ◀─────┘                        activating
//                                                          └──────── activated ──▶ finished ◀────────┘
//
// The commit is the arbiter's swap: the arbiter is the peer of the first end. Until it is asked to
// (`deciding`) this machine may undo at will; from then on until it answers, neither.
//
// Invariants: nothing is frozen in `asking` and `bringing`; the arbiter is asked only when all have promised;
// the old ends are released, and other peers told to swap, only when the arbiter is known to have; Activate
// is sent only when every peer has swapped.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "move/actions.h"
#include "move/id.h"
#include "move/journal.h"

namespace sockswap::move {

struct OriginPlan {
  struct End {
    FourTuple tuple;   // as the moving end sees it
    int family = 0;    // AF_INET or AF_INET6
    std::string peer;  // host of the staying end
    Endpoint remote;   // where the staying end will be; tuple.remote unless that is a loopback address
  };
  MoveId id;
  std::string destination;
  std::string receiver;
  std::vector<End> ends;
  std::uint64_t state_bytes = 0;
  std::chrono::milliseconds deadline{};  // for everything before the commit
  bool dry_run = false;                  // undone once everybody has agreed: nothing is ever frozen

  // A state that takes longer to travel than the rest of a freeze goes ahead of it.
  bool state_goes_ahead() const { return state_bytes > 64 * 1024; }
  const std::string& arbiter() const { return ends.front().peer; }
};

class Origin {
 public:
  using Action = std::variant<action::Send, action::Write, action::Step, action::SetTimer,
                              action::FreezeMoving, action::SendState, action::SendHold, action::SendDeliver,
                              action::ReleaseMoving, action::ThawMoving, action::Conclude, action::Finish>;
  using Actions = std::vector<Action>;
  enum class State { asking, bringing, holding, deciding, doubting, swapping, activating, undoing, finished };

  explicit Origin(OriginPlan plan);  // at least one end
  Actions start();

  // As it was when its daemon ended, from its records; none if nothing is left to do. Then resume().
  static std::optional<Origin> restore(const Records& records);
  Actions resume();

  Actions on_message(const std::string& from, const wire::Message& message);
  Actions on_frozen(std::vector<socket::Position> moving);  // in the plan's order
  Actions on_failure(Error error);    // an action before the commit failed; the ends are as they were
  Actions on_unwritten(Error error);  // see action::Write
  Actions on_host_lost(const std::string& host, const Error& error);
  Actions on_timer();
  Actions cancel(Error error);  // whoever asked for the move is gone: undone if the arbiter isn't asked yet
  // An operator's word while the arbiter can't be asked. not settled: nothing happens unless deciding or
  // doubting.
  Actions settle(bool moved);

  State state() const { return state_; }
  bool in_doubt() const { return state_ == State::deciding || state_ == State::doubting; }
  const OriginPlan& plan() const { return plan_; }

 private:
  // origin.cpp: until everybody has promised
  Actions take_accept(const wire::Accept& accept);
  Actions take_held(const std::string& from, const wire::Held& held);
  Actions take_refuse(const std::string& from, const wire::Refuse& refuse);
  Actions advance();
  Actions hold();
  Actions undo(std::optional<Error> error);  // none: a dry run that everybody agreed to
  std::string awaited() const;               // the hosts that have not answered yet

  // origin_commit.cpp: from then on
  Actions decide();
  Actions commit();
  Actions doubt();
  Actions say_doubt() const;
  Actions clear_doubt(const std::string& from, wire::Role by, bool kept);
  Actions take_waiting(const std::string& from, const wire::Waiting& waiting);
  Actions take_swapped(const std::string& from, const wire::Swapped& swapped);
  Actions take_undone(const std::string& from, wire::Role by);
  Actions take_unknown(const std::string& from, wire::Role by);
  Actions lose_ends_of(const std::string& peer, const std::string& why);
  Actions lose_all();
  Actions finish();
  Actions answer(const std::string& from, wire::Role of);
  Actions repeat();  // what has not been answered since the arbiter was asked

  bool asked_arbiter() const;
  bool committed() const { return state_ == State::swapping || state_ == State::activating; }
  bool is_party(const std::string& host) const;
  bool has_part_in(const std::string& host, std::uint32_t index) const;
  wire::Message message() const;  // of this move
  action::Send swap(const std::string& peer) const;
  action::Send activate() const;
  action::Send undo_at(const std::string& party) const;
  Actions say_undo(const std::set<std::string>& hosts) const;  // until they answer
  wire::Offer offer() const;
  std::set<std::string> parties() const;

  OriginPlan plan_;
  State state_ = State::asking;
  std::set<std::string> peers_;
  std::set<std::string> found_, held_, swapped_;  // peers that have answered so
  std::vector<Endpoint> locals_;                  // from Accept; empty until then
  std::vector<socket::Position> moving_;          // empty until frozen
  bool ready_ = false;
  // Doubting: who may have heard a forgetful arbiter's word, and what the others have said.
  std::set<std::string> doubted_peers_;
  bool doubted_destination_ = false, destination_forgot_ = false, a_peer_has_not_swapped_ = false;
  std::set<std::string> undoing_;  // parties that have not said Undone yet
  std::optional<Error> reason_;    // of undoing
  LostEnds lost_;                  // after the commit
  int timers_since_asked_ = 0;     // the arbiter
  bool restored_ = false;          // what was confirmed before isn't known any more
};

std::string_view name(Origin::State state);

}  // namespace sockswap::move
