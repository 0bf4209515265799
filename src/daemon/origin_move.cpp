#include "daemon/origin_move.h"

#include <fmt/format.h>

#include "base/log.h"

namespace sockswap::daemon {
namespace {

constexpr std::chrono::milliseconds telling_interval{50};

// What ends have written goes ahead by their connections, while nothing is frozen: that is one way instead of
// two, and the other ends read all the time. So little may be left of it, so long may it take, and so long
// may nothing of it arrive.
constexpr std::uint64_t little = 16 * 1024;
constexpr std::chrono::milliseconds most_draining{500}, most_standing{50}, look_interval{1};

// Where the end on `peer` will be reached from another host.
Result<Endpoint> reachable(const Context& context, const FourTuple& tuple, const std::string& peer,
                           const std::string& destination) {
  if (!tuple.remote.address.is_loopback() || peer == destination) return tuple.remote;
  for (const Address& address : context.hosts.find(peer)->addresses)
    if (address.is_v4() == tuple.remote.address.is_v4()) return Endpoint{address, tuple.remote.port};
  return failure(ErrorCode::not_movable,
                 fmt::format("{} is on loopback and {} has no {} address", tuple.text(), peer,
                             tuple.remote.address.is_v4() ? "IPv4" : "IPv6"),
                 "give the host an address of that family in hosts.toml");
}

// What moves: the descriptors, or for a dry run the connection. Nobody else may hold them.
Result<std::vector<keep::Movable>> check_moving(const Context& context, const MoveOrder& order) {
  if (order.connection) {
    SOCKSWAP_TRY(keep::Movable end, context.keeper.check_moving(*order.connection, order.asked_by));
    return std::vector{end};
  }
  std::vector<int> fds;
  for (const ForeignFd& fd : order.fds) fds.push_back(fd.get());
  return context.keeper.check_moving(fds, order.asked_by);
}

Result<move::OriginPlan::End> plan_end(const Context& context, const keep::Movable& movable,
                                       const MoveOrder& order) {
  move::OriginPlan::End end;
  end.tuple = movable.tuple;
  end.family = movable.family;
  if (end.tuple.remote.address.is_loopback()) {
    end.peer = context.self;
  } else if (const cluster::Host* host = context.hosts.host_of(end.tuple.remote.address)) {
    end.peer = host->name;
  } else {
    return failure(
        ErrorCode::no_peer_daemon,
        fmt::format("no host of the cluster has {}, the other end of {}", end.tuple.remote.address.text(),
                    end.tuple.text()),
        "both ends are re-pointed, so sockswapd must run at both; `sockswap hosts` lists the cluster");
  }
  SOCKSWAP_TRY(end.remote, reachable(context, end.tuple, end.peer, order.to));
  return end;
}

}  // namespace

Result<std::unique_ptr<OriginMove>> OriginMove::prepare(Context& context, move::MoveId id, MoveOrder order,
                                                        Listener listener) {
  if (order.fds.empty() && !(order.dry_run && order.connection))
    return failure(ErrorCode::usage, "a move without an end");
  if (context.hosts.find(order.to) == nullptr)
    return failure(ErrorCode::unknown_host, fmt::format("the cluster has no host '{}'", order.to),
                   "`sockswap hosts` lists them");
  SOCKSWAP_CHECK(Receivers::check_name(order.receiver, ErrorCode::unknown_receiver));
  move::OriginPlan plan{.id = id,
                        .destination = order.to,
                        .receiver = order.receiver,
                        .ends = {},
                        .state_bytes = order.state.size(),
                        .deadline = order.deadline,
                        .dry_run = order.dry_run};
  SOCKSWAP_TRY(const std::vector<keep::Movable> movable, check_moving(context, order));
  std::vector<FourTuple> tuples;
  for (const keep::Movable& moving : movable) {
    SOCKSWAP_TRY(move::OriginPlan::End end, plan_end(context, moving, order));
    tuples.push_back(end.tuple);
    plan.ends.push_back(std::move(end));
  }
  SOCKSWAP_TRY(ConnectionLocks::Lock lock, context.locks.lock(tuples));

  auto record = context.history.begin(id, "origin");
  record->origin = context.self;
  record->destination = plan.destination;
  record->receiver = plan.receiver;
  record->ends = std::move(tuples);
  return std::unique_ptr<OriginMove>(new OriginMove(
      context, move::Origin(std::move(plan)), std::move(record), std::move(lock),
      OriginEnds(context.keeper, id, std::move(order.fds)), std::move(order.state), std::move(listener)));
}

std::unique_ptr<OriginMove> OriginMove::restore(Context& context, move::Origin machine) {
  const move::OriginPlan& plan = machine.plan();
  auto record = context.history.begin(plan.id, "origin");
  record->origin = context.self;
  record->destination = plan.destination;
  record->receiver = plan.receiver;
  for (const move::OriginPlan::End& end : plan.ends) record->ends.push_back(end.tuple);
  ConnectionLocks::Lock lock;
  if (auto locked = context.locks.lock(record->ends)) lock = *std::move(locked);
  OriginEnds ends(context.keeper, plan.id, {});
  return std::unique_ptr<OriginMove>(new OriginMove(context, std::move(machine), std::move(record),
                                                    std::move(lock), std::move(ends), {}, {}));
}

OriginMove::OriginMove(Context& context, move::Origin machine, std::shared_ptr<MoveRecord> record,
                       ConnectionLocks::Lock lock, OriginEnds ends, Bytes state, Listener listener)
    : Running(context, std::move(machine), std::move(record)),
      lock_(std::move(lock)),
      ends_(std::move(ends)),
      state_(std::move(state)),
      listener_(std::move(listener)),
      telling_(context.io),
      draining_(context.io) {}

void OriginMove::perform(move::action::Step& step) {
  record_->step(step.name);
  const bool frozen =
      machine_.state() != move::Origin::State::asking && machine_.state() != move::Origin::State::bringing;
  if (!frozen) tell_steps();
}

// To wake the program that asked takes a good part of a short freeze: it is told of the steps after it, or
// from time to time if it isn't short.
void OriginMove::tell_steps() {
  for (; steps_told_ < record_->steps.size(); ++steps_told_)
    if (listener_.step) listener_.step(record_->steps[steps_told_]);
}

void OriginMove::tell_now_and_then() {
  telling_.expires_after(telling_interval);
  telling_.async_wait(while_alive([this](const asio::error_code& error) {
    if (error || !listener_.done) return;
    tell_steps();
    tell_now_and_then();
  }));
}

void OriginMove::perform(move::action::FreezeMoving&) {
  tell_steps();
  tell_now_and_then();
  drains_since_ = std::chrono::steady_clock::now();
  drain();
}

void OriginMove::drain() {
  const auto now = std::chrono::steady_clock::now();
  const std::uint64_t left = ends_.outstanding();
  if (left < outstanding_) drained_at_ = now;
  outstanding_ = left;
  if (left <= little || now - drained_at_ > most_standing || now - drains_since_ > most_draining)
    return freeze();
  draining_.expires_after(look_interval);
  draining_.async_wait(while_alive([this](const asio::error_code& error) {
    // Undone meanwhile, and not frozen.
    if (!error && machine_.state() == move::Origin::State::holding) drain();
  }));
}

void OriginMove::freeze() {
  record_->step("freezing");
  auto positions = ends_.freeze(machine_.plan().state_bytes);
  record_->step("frozen");
  run(positions ? machine_.on_frozen(*std::move(positions))
                : machine_.on_failure(std::move(positions).error()));
}

void OriginMove::perform(move::action::SendState&) {
  wire::Message message;
  message.set_move_id(machine_.plan().id.bytes());
  message.mutable_state();
  std::vector<Bytes> attachments;
  attachments.push_back(std::exchange(state_, {}));
  send_or_fail(machine_.plan().destination, message, std::move(attachments));
}

void OriginMove::perform(move::action::SendHold& hold) {
  std::vector<Bytes> attachments = ends_.take_in_flight(hold.message.hold());
  send_or_fail(hold.peer, hold.message, std::move(attachments));
}

void OriginMove::perform(move::action::SendDeliver&) {
  wire::Message message;
  message.set_move_id(machine_.plan().id.bytes());
  std::vector<Bytes> attachments = ends_.compose_deliver(*message.mutable_deliver());
  attachments.push_back(std::move(state_));
  send_or_fail(machine_.plan().destination, message, std::move(attachments));
}

void OriginMove::perform(move::action::ReleaseMoving&) {
  if (auto released = ends_.release(); !released)
    log::warn("move {}: the old end could not be released: {}", machine_.plan().id.text(),
              released.error().text());
}

void OriginMove::perform(move::action::ThawMoving&) {
  if (auto thawed = ends_.thaw(); !thawed)
    log::error("move {}: the moving end could not be thawed: {}", machine_.plan().id.text(),
               thawed.error().text());
  record_->step("thawed");
  lock_ = {};
}

void OriginMove::perform(move::action::Conclude& conclude) {
  record_->error = conclude.error;
  record_->state = name(machine_.state());
  // The connection is as it was, or gone: whether the others have confirmed that is no reason to keep it from
  // moving, since one of them may never do so.
  const bool in_doubt = conclude.error && conclude.error->code == ErrorCode::in_doubt;
  if (!in_doubt) lock_ = {};
  if (!listener_.done) return;
  tell_steps();
  telling_.cancel();
  listener_.step = nullptr;
  if (in_doubt) return listener_.done(failure(*conclude.error));
  const auto done = std::exchange(listener_.done, nullptr);
  if (conclude.error) return done(failure(*conclude.error));
  done(MoveReport{machine_.plan().id, record_->between("freezing", "activated"), record_});
}

}  // namespace sockswap::daemon
