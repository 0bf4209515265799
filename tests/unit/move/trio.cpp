#include "trio.h"

#include <algorithm>

namespace sockswap::move::test {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

Error failed(const std::string& action) { return {ErrorCode::internal, action + " failed", "", 0}; }

const socket::Position idle{.snd_una = socket::Sequence(100),
                            .snd_nxt = socket::Sequence(100),
                            .write_end = socket::Sequence(100),
                            .rcv_nxt = socket::Sequence(100)};

}  // namespace

std::string kind(const wire::Message& message) {
  switch (message.body_case()) {
    case wire::Message::kOffer: return "offer";
    case wire::Message::kAccept: return "accept";
    case wire::Message::kFind: return "find";
    case wire::Message::kFound: return "found";
    case wire::Message::kHold: return "hold";
    case wire::Message::kHeld: return "held";
    case wire::Message::kDeliver: return "deliver";
    case wire::Message::kReady: return "ready";
    case wire::Message::kSwap: return "swap";
    case wire::Message::kSwapped: return "swapped";
    case wire::Message::kActivate: return "activate";
    case wire::Message::kActivated: return "activated";
    case wire::Message::kForget: return "forget";
    case wire::Message::kUndo: return "undo";
    case wire::Message::kUndone: return "undone";
    case wire::Message::kRefuse: return "refuse";
    case wire::Message::kAsk: return "ask";
    case wire::Message::kState: return "state";
    case wire::Message::kStateTaken: return "state taken";
    case wire::Message::kUnknown: return "unknown";
    case wire::Message::kDoubt: return "doubt";
    case wire::Message::kWaiting: return "waiting";
    default: return "?";
  }
}

Trio::Trio(Faults faults) : faults_(std::move(faults)) {
  plan_.id.octets.fill(7);
  plan_.destination = "destination";
  plan_.receiver = "test";
  plan_.state_bytes = faults_.state_bytes;
  plan_.dry_run = faults_.dry_run;
  plan_.deadline = std::chrono::milliseconds(1000);
  const FourTuple tuple = FourTuple::parse("10.0.0.1:1000-10.0.0.2:2000").value();
  plan_.ends.push_back({.tuple = tuple, .family = AF_INET, .peer = "peer", .remote = tuple.remote});
  origin_.emplace(plan_);
  origin_actions(origin_->start());
}

wire::Message Trio::blank() const {
  wire::Message message;
  message.set_move_id(plan_.id.bytes());
  return message;
}

void Trio::note(std::string line) {
  history.push_back(std::move(line));
  if (watch) watch(history.back());
}

void Trio::require(bool holds, const std::string& what) {
  if (!holds) violations.push_back(what);
}

void Trio::inject(const std::string& from, const std::string& to, wire::Message message) {
  letters_.push_back({from, to, std::move(message)});
}

void Trio::post(const std::string& from, const std::string& to, const wire::Message& message) {
  note(from + " -> " + to + ": " + kind(message));
  if (faults_.lose_message == messages++) {
    note("lost, with its session");
    lose_session(from, to);
    return;
  }
  letters_.push_back({from, to, message});
}

// What was on its way is lost too; both sides hear of it.
void Trio::lose_session(const std::string& a, const std::string& b) {
  std::erase_if(letters_, [&](const Letter& letter) {
    return (letter.from == a && letter.to == b) || (letter.from == b && letter.to == a);
  });
  const Error error{ErrorCode::unreachable, "session lost", "", 0};
  for (const auto& [here, there] : {std::pair(a, b), std::pair(b, a)}) {
    if (here == "origin" && origin_) origin_actions(origin_->on_host_lost(there, error));
    if (here == "destination" && destination_) destination_actions(destination_->on_host_lost(there));
    if (here == "peer" && peer_) peer_actions(peer_->on_host_lost(there));
  }
}

void Trio::deliver(const Letter& letter) {
  const wire::Message& message = letter.message;
  const Parts here{.origin = letter.to == "origin" && origin_,
                   .destination = letter.to == "destination" && destination_,
                   .peer = letter.to == "peer" && peer_};
  const Dispatch dispatch = move::dispatch(message, here, false, letter.to);
  for (const wire::Message& answer : dispatch.answers) post(letter.to, letter.from, answer);
  if (dispatch.begins.destination && letter.to == "destination") {
    destination_.emplace(plan_.id, letter.from, message.offer());
    destination_actions(destination_->start());
  }
  if (dispatch.begins.peer && letter.to == "peer") {
    peer_.emplace(plan_.id, "peer", letter.from, message.find());
    peer_actions(peer_->start());
  }
  if (dispatch.to.origin) origin_actions(origin_->on_message(letter.from, message));
  if (dispatch.to.destination) destination_actions(destination_->on_message(letter.from, message));
  if (dispatch.to.peer) peer_actions(peer_->on_message(letter.from, message));
}

bool Trio::fire_timer() {
  // The origin's deadline is the shorter one.
  for (const char* who : {"origin", "destination", "peer"}) {
    if (timers_.erase(who) == 0) continue;
    note(std::string(who) + ": timer");
    if (who == std::string("origin") && origin_) origin_actions(origin_->on_timer());
    if (who == std::string("destination") && destination_) destination_actions(destination_->on_timer());
    if (who == std::string("peer") && peer_) peer_actions(peer_->on_timer());
    return true;
  }
  return false;
}

void Trio::run(int timers) {
  for (;;) {
    if (!letters_.empty()) {
      const Letter letter = std::move(letters_.front());
      letters_.pop_front();
      deliver(letter);
    } else if (timers-- <= 0 || !fire_timer()) {
      return;
    }
  }
}

void Trio::origin_actions(Origin::Actions actions) {
  for (auto& each : actions) {
    std::visit(
        Overloaded{[&](action::Send& send) {
                     require(asked_ || !send.message.has_swap(),
                             "the arbiter is asked, and that isn't written");
                     post("origin", send.to, send.message);
                   },
                   [&](action::SendHold& hold) { post("origin", hold.peer, hold.message); },
                   [&](action::Write& write) { asked_ = asked_ || write.record.has_origin_deciding(); },
                   [&](action::Step& step) { note("origin: step " + std::string(step.name)); },
                   [&](action::SetTimer&) { timers_.insert("origin"); },
                   [&](action::FreezeMoving&) {
                     if (faults_.failing_action == "freeze")
                       return origin_actions(origin_->on_failure(failed("freeze")));
                     require(moving == Moving::live, "froze what wasn't live");
                     moving = Moving::frozen;
                     origin_actions(origin_->on_frozen({idle}));
                   },
                   [&](action::SendState&) {
                     require(moving == Moving::live, "a long state travels while its end is frozen");
                     wire::Message message = blank();
                     message.mutable_state();
                     post("origin", plan_.destination, message);
                   },
                   [&](action::SendDeliver&) {
                     wire::Message message = blank();
                     message.mutable_deliver();
                     post("origin", plan_.destination, message);
                   },
                   [&](action::ReleaseMoving&) {
                     require(committed_, "released before the arbiter swapped");
                     require(staying != Staying::live_to_origin,
                             "released while the staying end could still send to it");
                     moving = Moving::released;
                   },
                   [&](action::ThawMoving&) {
                     require(!committed_, "thawed after the commit");
                     if (moving == Moving::frozen) moving = Moving::live;
                   },
                   [&](action::Conclude& conclude) {
                     require(!concluded || outcome->code == ErrorCode::in_doubt, "concluded twice");
                     concluded = true;
                     outcome = conclude.error;
                   },
                   [&](action::Finish&) { timers_.erase("origin"); }},
        each);
    if (!origin_) return;
  }
  if (origin_ && origin_->state() == Origin::State::finished) origin_.reset();
}

void Trio::destination_actions(Destination::Actions actions) {
  for (auto& each : actions)
    std::visit(
        Overloaded{[&](action::Send& send) { post("destination", send.to, send.message); },
                   [&](action::Write&) {},
                   [&](action::Step& step) { note("destination: step " + std::string(step.name)); },
                   [&](action::SetTimer&) { timers_.insert("destination"); },
                   [&](action::ReserveEnds&) {
                     if (faults_.failing_action == "reserve")
                       return destination_actions(destination_->on_failure(failed("reserve")));
                     arriving = Arriving::reserved;
                     destination_actions(destination_->on_reserved({Endpoint{}}));
                   },
                   [&](action::TakeState&) {
                     if (faults_.failing_action == "take state")
                       return destination_actions(destination_->on_failure(failed("take state")));
                     destination_actions(destination_->on_state_taken());
                   },
                   [&](action::RebuildEnds&) {
                     if (faults_.failing_action == "rebuild")
                       return destination_actions(destination_->on_failure(failed("rebuild")));
                     arriving = Arriving::dormant;
                     destination_actions(destination_->on_rebuilt());
                   },
                   [&](action::LetGo& let_go) {
                     if (staying == Staying::lost) {
                       require(let_go.lost.contains(0), "handed over an end that is lost");
                       arriving = Arriving::closed;
                       return destination_actions(destination_->on_live(let_go.lost));
                     }
                     require(arriving == Arriving::dormant, "let go what wasn't dormant");
                     require(committed_, "let go before the commit");
                     require(moving != Moving::live, "two live owners");
                     require(staying == Staying::live_to_destination,
                             "let go before the staying end was re-pointed: its first segment meets a reset");
                     arriving = Arriving::live;
                     destination_actions(destination_->on_live({}));
                   },
                   [&](action::DropEnds&) {
                     require(arriving != Arriving::live, "dropped a live end");
                     arriving = Arriving::none;
                   },
                   [&](action::Finish&) { timers_.erase("destination"); }},
        each);
}

void Trio::peer_actions(Peer::Actions actions) {
  for (auto& each : actions)
    std::visit(
        Overloaded{[&](action::Send& send) { post("peer", send.to, send.message); }, [&](action::Write&) {},
                   [&](action::Step& step) { note("peer: step " + std::string(step.name)); },
                   [&](action::SetTimer&) { timers_.insert("peer"); },
                   [&](action::FindEnds&) {
                     if (faults_.failing_action == "find")
                       return peer_actions(peer_->on_failure(failed("find")));
                     require(moving == Moving::live, "frozen before everything was agreed");
                     peer_actions(peer_->on_found());
                   },
                   [&](action::HoldEnds&) {
                     if (faults_.failing_action == "hold")
                       return peer_actions(peer_->on_failure(failed("hold")));
                     staying = Staying::frozen;
                     peer_actions(peer_->on_held({{0, idle}}));
                   },
                   [&](action::SwapEnds&) {
                     require(asked_, "swapped before everybody had promised");
                     committed_ = true;
                     require(moving != Moving::live, "swapped before the moving end was frozen");
                     require(staying == Staying::frozen, "swapped what wasn't held");
                     require(arriving == Arriving::dormant, "swapped to where nobody is");
                     if (faults_.staying_end_is_lost) {
                       staying = Staying::lost;
                       return peer_actions(peer_->on_swapped({{0, {ErrorCode::lost, "lost", "", 0}}}));
                     }
                     staying = Staying::live_to_destination;
                     peer_actions(peer_->on_swapped({}));
                   },
                   [&](action::ResumeHolders&) {
                     require(staying == Staying::live_to_destination || staying == Staying::lost,
                             "resumed before the swap");
                   },
                   [&](action::ThawEnds&) {
                     require(staying != Staying::live_to_destination, "thawed after the swap");
                     if (staying == Staying::frozen) staying = Staying::live_to_origin;
                   },
                   [&](action::Finish&) { timers_.erase("peer"); }},
        each);
}

}  // namespace sockswap::move::test
