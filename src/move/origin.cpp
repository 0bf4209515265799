#include "move/origin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "move/images.h"
#include "socket/reconcile.h"
#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::move {
namespace {

// After the commit, and while undoing, what was not confirmed is said again this often.
constexpr std::chrono::milliseconds resend_interval{1000};
// From the freeze to the commit a program at another host may stand still, whose user nobody asked.
constexpr std::chrono::milliseconds freeze_deadline{3000};
// So many of them after the commit, whoever asked is told that the outcome is open.
constexpr int resends_until_in_doubt = 10;

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

template <class To>
void Origin::send_to_parties(Actions& actions, To fill) const {
  std::set<std::string> parties = peers_;
  parties.insert(plan_.destination);
  for (const std::string& party : parties) {
    wire::Message out = message();
    fill(out);
    actions.emplace_back(action::Send{party, std::move(out)});
  }
}

Origin::Actions Origin::start() {
  Actions actions;
  actions.emplace_back(action::SetTimer{plan_.deadline});
  wire::Message offer = message();
  offer.mutable_offer()->set_receiver(plan_.receiver);
  offer.mutable_offer()->set_state_bytes(plan_.state_bytes);
  std::map<std::string, wire::Message> finds;
  for (std::uint32_t index = 0; index < plan_.ends.size(); ++index) {
    const OriginPlan::End& end = plan_.ends[index];
    wire::Offer::End& offered = *offer.mutable_offer()->add_ends();
    wire::to_message(end.tuple, *offered.mutable_tuple());
    offered.set_family(to_message(end.family));
    offered.set_peer(end.peer);
    wire::to_message(end.remote, *offered.mutable_remote());
    wire::Message& find = finds.try_emplace(end.peer, message()).first->second;
    find.mutable_find()->set_destination(plan_.destination);
    wire::Find::End& sought = *find.mutable_find()->add_ends();
    sought.set_index(index);
    wire::to_message(end.tuple.flipped(), *sought.mutable_tuple());
  }
  actions.emplace_back(action::Send{plan_.destination, std::move(offer)});
  for (auto& [peer, find] : finds) actions.emplace_back(action::Send{peer, std::move(find)});
  actions.emplace_back(action::Step{"asked"});
  return actions;
}

Origin::Actions Origin::on_message(const std::string& from, const wire::Message& message) {
  const bool from_peer = peers_.contains(from);
  const bool from_destination = from == plan_.destination;
  switch (message.body_case()) {
    case wire::Message::kAccept:
      if (state_ != State::asking || !from_destination || !locals_.empty()) return {};
      for (const wire::Endpoint& local : message.accept().locals()) {
        auto endpoint = wire::from_message(local);
        if (!endpoint) return undo(std::move(endpoint).error());
        locals_.push_back(*endpoint);
      }
      if (locals_.size() != plan_.ends.size())
        return undo(Error{ErrorCode::internal, "the destination reserved another number of ends",
                          "do all hosts run the same version of sockswapd?", 0});
      return advance();
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
    case wire::Message::kSwapped:
      if (state_ != State::swapping || !from_peer) return {};
      if (!swapped_.insert(from).second) return {};
      add_from(message.swapped().lost(), lost_,
               [&](std::uint32_t index) { return has_part_in(from, index); });
      return advance();
    case wire::Message::kActivated:
      if (!committed() || !from_destination) return {};
      add_from(message.activated().lost(), lost_,
               [&](std::uint32_t index) { return has_part_in(from, index); });
      return finish();
    case wire::Message::kRefuse:
      if (!from_peer && !from_destination) return {};
      if (state_ == State::undoing) {
        undoing_.erase(from);
        return advance();
      }
      return undo(wire::from_message(message.refuse().error()));
    case wire::Message::kUndone: undoing_.erase(from); return advance();
    case wire::Message::kAsk: return is_party(from) ? answer(from) : Actions{};
    default: return {};
  }
}

Origin::Actions Origin::advance() {
  switch (state_) {
    case State::asking:
      if (locals_.empty() || found_ != peers_) return {};
      if (plan_.dry_run) return undo(std::nullopt);
      if (!plan_.state_goes_ahead()) return hold();
      state_ = State::bringing;
      return {action::Step{"bringing"}, action::SendState{}};
    case State::holding: return held_ != peers_ || !ready_ ? Actions{} : commit();
    case State::swapping: {
      if (swapped_ != peers_) return {};
      state_ = State::activating;
      return {activate(), action::Step{"swapped"}};
    }
    case State::undoing: {
      if (!undoing_.empty()) return {};
      state_ = State::finished;
      return {action::Write{Mark::origin_finished}, action::Step{"undone"}, action::Finish{}};
    }
    case State::bringing:
    case State::activating:
    case State::finished: return {};
  }
  return {};
}

Origin::Actions Origin::hold() {
  state_ = State::holding;
  return {action::Step{"agreed"}, action::Write{Mark::origin_freezing}, action::FreezeMoving{}};
}

// The images need not wait for the hold's answer: both go out at once.
Origin::Actions Origin::on_frozen(std::vector<socket::Position> moving) {
  moving_ = std::move(moving);
  Actions actions{action::SetTimer{std::min(plan_.deadline, freeze_deadline)}};
  std::map<std::string, wire::Message> holds;
  for (std::uint32_t index = 0; index < plan_.ends.size(); ++index) {
    wire::Message& hold = holds.try_emplace(plan_.ends[index].peer, message()).first->second;
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
      return undo(Error{ErrorCode::disagreement, fmt::format("{} holds an end it was not asked for", from),
                        "do all hosts run the same version of sockswapd?", 0});
    auto agreed = socket::check_agreement(moving_[end.index()], from_message(end.staying()));
    if (!agreed) return undo(std::move(agreed).error().while_doing(plan_.ends[end.index()].tuple.text()));
  }
  if (seen.size() != expected)
    return undo(Error{ErrorCode::disagreement, fmt::format("{} holds fewer ends than asked", from),
                      "do all hosts run the same version of sockswapd?", 0});
  held_.insert(from);
  Actions actions = advance();
  actions.insert(actions.begin(), action::Step{"held"});
  return actions;
}

Origin::Actions Origin::commit() {
  state_ = State::swapping;
  Actions actions{action::Write{Mark::origin_committed}, action::Step{"committed"}};
  for (const std::string& peer : peers_) actions.emplace_back(swap(peer));
  actions.emplace_back(action::ReleaseMoving{});
  actions.emplace_back(action::SetTimer{resend_interval});
  return actions;
}

Origin::Actions Origin::undo(std::optional<Error> error) {
  if (state_ != State::asking && state_ != State::bringing && state_ != State::holding) return {};
  Actions actions;
  // The moving ends first: that is what somebody waits for. Their peers' filters still drop what these
  // send, so the order costs nothing but a retransmission.
  if (state_ == State::holding) actions.emplace_back(action::ThawMoving{});
  actions.emplace_back(action::Conclude{error});
  state_ = State::undoing;
  undoing_ = peers_;
  undoing_.insert(plan_.destination);
  send_to_parties(actions, [&](wire::Message& out) {
    out.mutable_undo();
    if (error) wire::to_message(*error, *out.mutable_undo()->mutable_reason());
  });
  actions.emplace_back(action::SetTimer{resend_interval});
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

action::Send Origin::activate() const {
  wire::Message activate = message();
  to_message(lost_, *activate.mutable_activate()->mutable_lost());
  return {plan_.destination, std::move(activate)};
}

action::Send Origin::swap(const std::string& peer) const {
  wire::Message swap = message();
  swap.mutable_swap();
  return {peer, std::move(swap)};
}

Origin::Actions Origin::finish() {
  // Activated says that every peer has swapped, even if its own word is still on its way.
  state_ = State::finished;
  Actions actions{action::Step{"activated"}, action::Write{Mark::origin_finished}};
  actions.emplace_back(action::Conclude{lost_.empty() ? std::nullopt : std::optional(lost_.begin()->second)});
  send_to_parties(actions, [](wire::Message& out) { out.mutable_forget(); });
  actions.emplace_back(action::Finish{});
  return actions;
}

// To a party in doubt. Silence where the answer is on its way by itself.
Origin::Actions Origin::answer(const std::string& from) {
  if (state_ == State::undoing) {
    wire::Message undo = message();
    undo.mutable_undo();
    return {action::Send{from, std::move(undo)}};
  }
  if (!committed()) return {};
  if (peers_.contains(from) && !swapped_.contains(from)) return {swap(from)};
  if (from == plan_.destination && state_ == State::activating) return {activate()};
  return {};
}

Origin::Actions Origin::on_failure(Error error) {
  // A failed FreezeMoving has thawed what it had frozen; thawing twice does no harm.
  return undo(std::move(error));
}

Origin::Actions Origin::on_host_lost(const std::string& host, const Error& error) {
  if (!is_party(host)) return {};
  if (state_ == State::undoing) {
    // It asks when it is back, and learns then that there was no commit.
    undoing_.erase(host);
    return advance();
  }
  // Nothing after the commit: what is missing is sent again by the timer.
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
    case State::swapping:
    case State::activating: {
      Actions actions;
      for (const std::string& peer : peers_)
        if (!swapped_.contains(peer)) actions.emplace_back(swap(peer));
      if (state_ == State::activating) actions.emplace_back(activate());
      if (++timers_since_commit_ == resends_until_in_doubt)
        actions.emplace_back(action::Conclude{
            Error{ErrorCode::in_doubt, "committed, but not every host has confirmed yet",
                  "`sockswap moves` shows which; the move is driven to its end as they come back", 0}});
      actions.emplace_back(action::SetTimer{resend_interval});
      return actions;
    }
    case State::undoing: {
      Actions actions;
      for (const std::string& party : undoing_) {
        wire::Message undo = message();
        undo.mutable_undo();
        actions.emplace_back(action::Send{party, std::move(undo)});
      }
      actions.emplace_back(action::SetTimer{resend_interval});
      return actions;
    }
    case State::finished: return {};
  }
  return {};
}

Origin::Actions Origin::cancel(Error error) { return undo(std::move(error)); }

std::string_view name(Origin::State state) {
  switch (state) {
    case Origin::State::asking: return "asking";
    case Origin::State::bringing: return "bringing";
    case Origin::State::holding: return "holding";
    case Origin::State::swapping: return "swapping";
    case Origin::State::activating: return "activating";
    case Origin::State::undoing: return "undoing";
    case Origin::State::finished: return "finished";
  }
  return "";
}

}  // namespace sockswap::move
