// Until everybody has promised, and the undoing.
#include "move/origin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "move/images.h"
#include "move/timing.h"
#include "socket/reconcile.h"
#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::move {
namespace {

Error another_version(std::string message) {
  return {ErrorCode::disagreement, std::move(message), "do all hosts run the same version of sockswapd?", 0};
}

}  // namespace

Origin::Origin(OriginPlan plan) : plan_(std::move(plan)) {
  for (const OriginPlan::End& end : plan_.ends) peers_.insert(end.peer);
}

wire::Message Origin::message() const {
  wire::Message message;
  message.set_move_id(plan_.id.bytes());
  return message;
}

bool Origin::is_party(const std::string& host) const {
  return host == plan_.destination || peers_.contains(host);
}

bool Origin::has_part_in(const std::string& host, std::uint32_t index) const {
  return index < plan_.ends.size() && (host == plan_.destination || plan_.ends[index].peer == host);
}

std::set<std::string> Origin::parties() const {
  std::set<std::string> parties = peers_;
  parties.insert(plan_.destination);
  return parties;
}

wire::Offer Origin::offer() const {
  wire::Offer offer;
  offer.set_receiver(plan_.receiver);
  offer.set_state_bytes(plan_.state_bytes);
  for (const OriginPlan::End& end : plan_.ends) {
    wire::Offer::End& offered = *offer.add_ends();
    wire::to_message(end.tuple, *offered.mutable_tuple());
    offered.set_family(to_message(end.family));
    offered.set_peer(end.peer);
    wire::to_message(end.remote, *offered.mutable_remote());
  }
  return offer;
}

Origin::Actions Origin::start() {
  Actions actions;
  actions.emplace_back(action::SetTimer{plan_.deadline});
  wire::Message offering = message();
  *offering.mutable_offer() = offer();
  std::map<std::string, wire::Message> finds;
  for (std::uint32_t index = 0; index < plan_.ends.size(); ++index) {
    wire::Message& find = finds.try_emplace(plan_.ends[index].peer, message()).first->second;
    find.mutable_find()->set_destination(plan_.destination);
    wire::Find::End& sought = *find.mutable_find()->add_ends();
    sought.set_index(index);
    wire::to_message(plan_.ends[index].tuple.flipped(), *sought.mutable_tuple());
  }
  actions.emplace_back(action::Send{plan_.destination, std::move(offering)});
  for (auto& [peer, find] : finds) actions.emplace_back(action::Send{peer, std::move(find)});
  actions.emplace_back(action::Step{"asked"});
  return actions;
}

Origin::Actions Origin::on_message(const std::string& from, const wire::Message& message) {
  const bool from_peer = peers_.contains(from);
  const bool from_destination = from == plan_.destination;
  switch (message.body_case()) {
    case wire::Message::kAccept: return from_destination ? take_accept(message.accept()) : Actions{};
    case wire::Message::kFound:
      if (state_ != State::asking || !from_peer) return {};
      found_.insert(from);
      return advance();
    case wire::Message::kStateTaken:
      return state_ == State::bringing && from_destination ? hold() : Actions{};
    case wire::Message::kHeld:
      if (state_ != State::holding || !from_peer) return {};
      return take_held(from, message.held());
    case wire::Message::kReady:
      if (state_ != State::holding || !from_destination) return {};
      ready_ = true;
      return advance();
    case wire::Message::kSwapped: return from_peer ? take_swapped(from, message.swapped()) : Actions{};
    case wire::Message::kActivated:
      if (!from_destination || !asked_arbiter()) return {};
      add_from(message.activated().lost(), lost_,
               [&](std::uint32_t index) { return has_part_in(from, index); });
      return finish();
    case wire::Message::kRefuse: return is_party(from) ? take_refuse(from, message.refuse()) : Actions{};
    case wire::Message::kUndone: return is_party(from) ? take_undone(from, message.undone().by()) : Actions{};
    case wire::Message::kWaiting: return take_waiting(from, message.waiting());
    case wire::Message::kUnknown:
      return is_party(from) ? take_unknown(from, message.unknown().by()) : Actions{};
    case wire::Message::kAsk: return is_party(from) ? answer(from, message.ask().of()) : Actions{};
    default: return {};
  }
}

Origin::Actions Origin::take_accept(const wire::Accept& accept) {
  if (state_ != State::asking || !locals_.empty()) return {};
  for (const wire::Endpoint& local : accept.locals()) {
    auto endpoint = wire::from_message(local);
    if (!endpoint) return undo(std::move(endpoint).error());
    locals_.push_back(*endpoint);
  }
  if (locals_.size() != plan_.ends.size())
    return undo(another_version("the destination reserved another number of ends"));
  return advance();
}

Origin::Actions Origin::advance() {
  switch (state_) {
    case State::asking:
      if (locals_.empty() || found_ != peers_) return {};
      if (plan_.dry_run) return undo(std::nullopt);
      if (!plan_.state_goes_ahead()) return hold();
      state_ = State::bringing;
      return {action::Step{"bringing"}, action::SendState{}};
    case State::holding: return held_ != peers_ || !ready_ ? Actions{} : decide();
    case State::swapping: {
      if (swapped_ != peers_) return {};
      state_ = State::activating;
      return {activate(), action::Step{"swapped"}};
    }
    case State::undoing: {
      if (!undoing_.empty()) return {};
      state_ = State::finished;
      JournalRecord record = record_of(plan_.id);
      record.mutable_origin_finished();
      return {action::Write{std::move(record), false}, action::Step{"undone"}, action::Finish{}};
    }
    default: return {};
  }
}

Origin::Actions Origin::hold() {
  state_ = State::holding;
  JournalRecord record = record_of(plan_.id);
  record.mutable_origin_freezing()->set_destination(plan_.destination);
  *record.mutable_origin_freezing()->mutable_offer() = offer();
  return {action::Step{"agreed"}, action::Write{std::move(record)}, action::FreezeMoving{}};
}

// The images need not wait for the hold's answer: both go out at once.
Origin::Actions Origin::on_frozen(std::vector<socket::Position> moving) {
  moving_ = std::move(moving);
  Actions actions{action::SetTimer{std::min(plan_.deadline, freeze_deadline)}};
  std::map<std::string, wire::Message> holds;
  for (std::uint32_t index = 0; index < plan_.ends.size(); ++index) {
    wire::Message& hold = holds.try_emplace(plan_.ends[index].peer, message()).first->second;
    hold.mutable_hold()->set_arbiter(plan_.arbiter());
    wire::Hold::End& end = *hold.mutable_hold()->add_ends();
    end.set_index(index);
    to_message(moving_[index], *end.mutable_moving());
    wire::to_message(plan_.ends[index].remote, *end.mutable_new_local());
    wire::to_message(locals_[index], *end.mutable_new_remote());
  }
  for (auto& [peer, hold] : holds) actions.emplace_back(action::SendHold{peer, std::move(hold)});
  actions.emplace_back(action::SendDeliver{});
  actions.emplace_back(action::Step{"delivered"});
  return actions;
}

Origin::Actions Origin::take_held(const std::string& from, const wire::Held& held) {
  std::size_t expected = 0;
  for (const OriginPlan::End& end : plan_.ends) expected += end.peer == from;
  std::set<std::uint32_t> seen;
  for (const wire::Held::End& end : held.ends()) {
    if (end.index() >= plan_.ends.size() || plan_.ends[end.index()].peer != from ||
        !seen.insert(end.index()).second)
      return undo(another_version(fmt::format("{} holds an end it was not asked for", from)));
    if (moving_.empty()) return undo(another_version(from + " holds ends before it was asked to"));
    auto agreed = socket::check_agreement(moving_[end.index()], from_message(end.staying()));
    if (!agreed) return undo(std::move(agreed).error().while_doing(plan_.ends[end.index()].tuple.text()));
  }
  if (seen.size() != expected)
    return undo(another_version(fmt::format("{} holds fewer ends than asked", from)));
  held_.insert(from);
  Actions actions = advance();
  actions.insert(actions.begin(), action::Step{"held"});
  return actions;
}

Origin::Actions Origin::take_refuse(const std::string& from, const wire::Refuse& refuse) {
  if (state_ == State::undoing) {
    undoing_.erase(from);
    return advance();
  }
  // A destination that is ready only asks, and too late; a peer that refuses has undone its part.
  if (asked_arbiter()) return refuse.by() == wire::PEER ? take_undone(from, wire::PEER) : Actions{};
  return undo(wire::from_message(refuse.error()));
}

action::Send Origin::undo_at(const std::string& party) const {
  wire::Message undo = message();
  undo.mutable_undo();
  if (reason_) wire::to_message(*reason_, *undo.mutable_undo()->mutable_reason());
  return {party, std::move(undo)};
}

Origin::Actions Origin::say_undo(const std::set<std::string>& hosts) const {
  Actions actions;
  for (const std::string& host : hosts) actions.emplace_back(undo_at(host));
  actions.emplace_back(action::SetTimer{resend_interval});
  return actions;
}

Origin::Actions Origin::undo(std::optional<Error> error) {
  if (state_ == State::undoing || state_ == State::finished || committed()) return {};
  Actions actions;
  if (asked_arbiter()) {
    // A restart must not ask the arbiter again, whose memory of having undone it may be gone by then.
    JournalRecord record = record_of(plan_.id);
    record.mutable_origin_undoing();
    actions.emplace_back(action::Write{std::move(record), false});
  }
  // The moving ends first: that is what somebody waits for. Their peers' filters still drop what these
  // send, so the order costs nothing but a retransmission.
  if (state_ != State::asking && state_ != State::bringing) actions.emplace_back(action::ThawMoving{});
  actions.emplace_back(action::Conclude{error});
  state_ = State::undoing;
  reason_ = std::move(error);
  undoing_ = parties();
  append(actions, say_undo(undoing_));
  return actions;
}

std::string Origin::awaited() const {
  std::set<std::string> hosts;
  const bool holding = state_ == State::holding;
  for (const std::string& peer : peers_)
    if (!(holding ? held_ : found_).contains(peer)) hosts.insert(peer);
  if (holding ? !ready_ : locals_.empty() || state_ == State::bringing) hosts.insert(plan_.destination);
  return fmt::format("{}", fmt::join(hosts, " and "));
}

Origin::Actions Origin::on_failure(Error error) {
  // A failed FreezeMoving has thawed what it had frozen; thawing twice does no harm.
  return asked_arbiter() ? Actions{} : undo(std::move(error));
}

// Before FreezeMoving, or before the arbiter is asked: either is not done then, and may be undone.
Origin::Actions Origin::on_unwritten(Error error) { return undo(std::move(error)); }

Origin::Actions Origin::cancel(Error error) { return asked_arbiter() ? Actions{} : undo(std::move(error)); }

Origin::Actions Origin::on_host_lost(const std::string& host, const Error& error) {
  if (!is_party(host)) return {};
  if (state_ == State::undoing) {
    // It asks when it is back, and learns then that there was no commit.
    undoing_.erase(host);
    return advance();
  }
  if (asked_arbiter()) return {};  // what is missing is sent again by the timer
  if (host != plan_.destination && error.code == ErrorCode::unreachable)
    return undo(Error{ErrorCode::no_peer_daemon,
                      fmt::format("no daemon on {}, the host of the other end: {}", host, error.text()),
                      "start sockswapd there; `sockswap hosts` shows who answers", 0});
  if (error.code == ErrorCode::unreachable)
    return undo(Error{ErrorCode::unreachable, fmt::format("{} can't be reached: {}", host, error.text()),
                      "is sockswapd running there? `sockswap hosts` shows who answers", 0});
  return undo(error);
}

Origin::Actions Origin::on_timer() {
  switch (state_) {
    case State::asking:
    case State::bringing:
      return undo(Error{ErrorCode::timed_out,
                        fmt::format("{} did not agree within {} ms", awaited(), plan_.deadline.count()),
                        "`sockswap moves` shows how far it came; everything is as it was", 0});
    case State::holding:
      return undo(Error{ErrorCode::timed_out,
                        fmt::format("{} was not ready within {} ms of the freeze", awaited(),
                                    std::min(plan_.deadline, freeze_deadline).count()),
                        "`sockswap moves` shows how far it came; everything is as it was", 0});
    case State::deciding:
    case State::doubting:
    case State::swapping:
    case State::activating: return repeat();
    case State::undoing: return say_undo(undoing_);
    case State::finished: return {};
  }
  return {};
}

std::string_view name(Origin::State state) {
  switch (state) {
    case Origin::State::asking: return "asking";
    case Origin::State::bringing: return "bringing";
    case Origin::State::holding: return "holding";
    case Origin::State::deciding: return "deciding";
    case Origin::State::doubting: return "doubting";
    case Origin::State::swapping: return "swapping";
    case Origin::State::activating: return "activating";
    case Origin::State::undoing: return "undoing";
    case Origin::State::finished: return "finished";
  }
  return "";
}

}  // namespace sockswap::move
