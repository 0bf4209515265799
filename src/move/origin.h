// The origin's part of a move: it coordinates. No I/O; see actions.h.
//
//   asking ──all accepted, found──▶ holding ──all held, ready──▶ swapping ──all swapped──▶ activating
//     │  └─▶ bringing ──state taken──▶ │        (commit)                                      │
//     └────────┴─ any failure ───▶ undoing                                        activated ──┴▶ finished
//
// Invariants: nothing is frozen in `asking` and `bringing`; the commit is written before any Swap is sent,
// and after it nothing is undone; Activate is sent only when every peer has swapped.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "move/actions.h"
#include "move/id.h"

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
};

class Origin {
 public:
  using Action = std::variant<action::Send, action::Write, action::Step, action::SetTimer,
                              action::FreezeMoving, action::SendState, action::SendHold, action::SendDeliver,
                              action::ReleaseMoving, action::ThawMoving, action::Conclude, action::Finish>;
  using Actions = std::vector<Action>;
  enum class State { asking, bringing, holding, swapping, activating, undoing, finished };

  explicit Origin(OriginPlan plan);

  Actions start();
  Actions on_message(const std::string& from, const wire::Message& message);
  Actions on_frozen(std::vector<socket::Position> moving);  // in the plan's order
  Actions on_failure(Error error);  // an action before the commit failed; the ends are as they were
  Actions on_host_lost(const std::string& host, const Error& error);
  Actions on_timer();
  Actions cancel(Error error);  // whoever asked for the move is gone: undone if not committed yet

  State state() const { return state_; }
  const OriginPlan& plan() const { return plan_; }

 private:
  bool committed() const { return state_ == State::swapping || state_ == State::activating; }
  bool is_party(const std::string& host) const;
  bool has_part_in(const std::string& host, std::uint32_t index) const;
  Actions advance();
  Actions hold();
  Actions commit();
  Actions undo(std::optional<Error> error);  // none: a dry run that everybody agreed to
  Actions take_held(const std::string& from, const wire::Held& held);
  Actions answer(const std::string& from);
  Actions finish();
  std::string awaited() const;  // the hosts that have not answered yet
  action::Send activate() const;
  action::Send swap(const std::string& peer) const;
  wire::Message message() const;  // of this move
  template <class To>
  void send_to_parties(Actions& actions, To fill) const;

  OriginPlan plan_;
  State state_ = State::asking;
  std::set<std::string> peers_;
  std::set<std::string> found_, held_, swapped_;  // peers that have answered so
  std::vector<Endpoint> locals_;                  // from Accept; empty until then
  std::vector<socket::Position> moving_;          // empty until frozen
  bool ready_ = false;
  std::set<std::string> undoing_;  // parties that have not said Undone yet
  LostEnds lost_;                  // after the commit
  int timers_since_commit_ = 0;
};

std::string_view name(Origin::State state);

}  // namespace sockswap::move
