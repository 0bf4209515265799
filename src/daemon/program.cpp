#include "daemon/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "daemon/hand_overs.h"
#include "daemon/listing.h"
#include "daemon/parking.h"
#include "daemon/quotas.h"
#include "daemon/replies.h"
#include "wire/endpoints.h"

namespace sockswap::daemon {
namespace {

Bytes take_state(std::vector<Bytes>& attachments) {
  return attachments.empty() ? Bytes{} : std::move(attachments.front());
}

Error asker_gone() {
  return {ErrorCode::receiver_gone, "the program that asked for the move ended",
          "its ends go on with whoever else holds them", 0};
}

}  // namespace

void Program::start(std::function<void()> gone) {
  gone_ = std::move(gone);
  const std::weak_ptr<Program> weak = weak_from_this();
  session_->start(
      {.request =
           [weak](wire::Request request, std::vector<Bytes> attachments, std::vector<ForeignFd> fds) {
             if (auto self = weak.lock())
               self->serve(std::move(request), std::move(attachments), std::move(fds));
           },
       .closed =
           [weak] {
             if (auto self = weak.lock()) self->close();
           }});
}

void Program::close() {
  for (const std::string& name : std::exchange(names_, {})) services_.context.receivers.remove(name, this);
  services_.hand_overs.on_program_gone(this);
  services_.parking.on_program_gone(this);
  for (const move::MoveId& id : std::exchange(moving_, {})) services_.moves.cancel(id, asker_gone());
  if (gone_) std::exchange(gone_, nullptr)();
}

void Program::reply(std::uint64_t number, wire::Reply reply) const {
  reply.set_number(number);
  session_->send(reply);
}

void Program::fail(std::uint64_t number, const Error& error) const { reply(number, failed_reply(error)); }

void Program::serve(wire::Request request, std::vector<Bytes> attachments, std::vector<ForeignFd> fds) {
  const std::uint64_t number = request.number();
  const auto answer = [&]() -> Result<> {
    switch (request.body_case()) {
      case wire::Request::kRegister: return register_receiver(number, request.register_());
      case wire::Request::kMove: return move(number, request.move(), std::move(attachments), std::move(fds));
      case wire::Request::kPark: return park(number, std::move(attachments), std::move(fds));
      case wire::Request::kHaveMoved:
        return services_.parking.bring(shared_from_this(), number, request.have_moved().ticket());
      case wire::Request::kDeclined:
        return services_.hand_overs.decline(*this, request.declined().number(), request.declined().reason());
      case wire::Request::kMoveConnection:
        return services_.hand_overs.ask(shared_from_this(), number, request.move_connection());
      case wire::Request::kListHosts: reply(number, hosts_reply(services_.context)); return {};
      case wire::Request::kSettleMove: return settle(number, request.settle_move());
      case wire::Request::kListMoves: reply(number, moves_reply(services_.context.history)); return {};
      case wire::Request::kListConnections: {
        SOCKSWAP_TRY(wire::Reply list, connections_reply(services_.context, services_.hand_overs));
        reply(number, std::move(list));
        return {};
      }
      case wire::Request::BODY_NOT_SET: break;
    }
    return failure(ErrorCode::version_mismatch, "this daemon doesn't know that request",
                   "bring sockswapd and its clients to the same version");
  }();
  if (!answer) fail(number, answer.error());
}

Result<> Program::register_receiver(std::uint64_t number, const wire::Register& request) {
  if (credentials().uid != 0 && names_.size() >= quota::names)
    return failure(ErrorCode::no_resources, fmt::format("a program has {} names at most", quota::names),
                   "one name can receive any number of ends");
  SOCKSWAP_CHECK(services_.context.receivers.add(request.receiver(), weak_from_this()));
  names_.insert(request.receiver());
  hands_over_ = hands_over_ || request.hands_over();
  reply(number, done_reply());
  return {};
}

Result<> Program::move(std::uint64_t number, const wire::Move& request, std::vector<Bytes> attachments,
                       std::vector<ForeignFd> fds) {
  MoveOrder order{.fds = std::move(fds),
                  .state = take_state(attachments),
                  .to = request.to(),
                  .receiver = request.receiver(),
                  .asked_by = credentials().pid};
  // Never longer than the default: the other hosts' patience is built on it.
  if (request.deadline_ms() != 0)
    order.deadline = std::min(order.deadline, std::chrono::milliseconds(request.deadline_ms()));

  // An operator who asked for it hears the same.
  SOCKSWAP_TRY(const HandOvers::Asker asker, services_.hand_overs.answered(*this, request.hand_over()));
  const auto id = std::make_shared<move::MoveId>();
  const std::weak_ptr<Program> weak = weak_from_this();
  OriginMove::Listener listener{
      .step =
          [weak, number, asker](const MoveRecord::Step& step) {
            if (auto self = weak.lock()) self->reply(number, progress_reply(step));
            asker.tell(progress_reply(step));
          },
      .done =
          [weak, number, asker, id, told = false](Result<MoveReport> outcome) mutable {
            if (std::exchange(told, true)) return;  // it was in doubt
            const wire::Reply reply = outcome ? moved_reply(*outcome) : failed_reply(outcome.error());
            if (auto self = weak.lock()) {
              self->moving_.erase(*id);
              self->reply(number, reply);
            }
            asker.tell(reply);
          }};
  auto begun = services_.moves.begin(std::move(order), std::move(listener));
  if (!begun) {
    asker.tell(failed_reply(begun.error()));
    return failure(std::move(begun).error());
  }
  *id = *begun;
  // Telling it of the first step may have shown that it has gone.
  if (session_->open())
    moving_.insert(*begun);
  else
    services_.moves.cancel(*begun, asker_gone());
  return {};
}

Result<> Program::settle(std::uint64_t number, const wire::SettleMove& request) {
  if (credentials().uid != 0)
    return failure(ErrorCode::not_permitted, "only root settles moves", "sudo sockswap moves settle …");
  const auto id = move::MoveId::from_bytes(request.move_id());
  if (!id) return failure(ErrorCode::usage, "that is not a move's id", "`sockswap moves` shows them");
  SOCKSWAP_CHECK(services_.moves.settle(*id, request.moved()));
  reply(number, done_reply());
  return {};
}

Result<> Program::park(std::uint64_t number, std::vector<Bytes> attachments, std::vector<ForeignFd> fds) {
  SOCKSWAP_TRY(const std::string ticket,
               services_.parking.park(credentials().uid, std::move(fds), take_state(attachments)));
  wire::Reply parked;
  parked.mutable_parked()->set_ticket(ticket);
  reply(number, std::move(parked));
  return {};
}

Result<> Program::take(Arrived arrived) { return take_for(0, std::move(arrived)); }

Result<> Program::take_for(std::uint64_t number, Arrived arrived) {
  if (!session_->open()) return failure(ErrorCode::receiver_gone, "the receiving program has ended");
  wire::Reply reply;
  reply.set_number(number);
  wire::Arrival& arrival = *reply.mutable_arrival();
  arrival.set_move_id(arrived.id.bytes());
  arrival.set_from(arrived.from);
  std::vector<ForeignFd> fds;
  for (ArrivedEnd& end : arrived.ends) {
    wire::Arrival::End& out = *arrival.add_ends();
    wire::to_message(end.tuple, *out.mutable_tuple());
    wire::to_message(end.former_local, *out.mutable_former_local());
    fds.push_back(std::move(end.fd));
  }
  std::vector<Bytes> attachments;
  attachments.push_back(std::move(arrived.state));
  session_->send(reply, std::move(attachments), std::move(fds));
  if (!session_->open()) return failure(ErrorCode::receiver_gone, "the receiving program has ended");
  return {};
}

void Program::ask_to_hand_over(std::uint64_t number, const FourTuple& tuple, const std::string& to,
                               const std::string& receiver) const {
  wire::Reply reply;
  wire::HandOver& hand_over = *reply.mutable_hand_over();
  hand_over.set_number(number);
  wire::to_message(tuple, *hand_over.mutable_tuple());
  hand_over.set_to(to);
  hand_over.set_receiver(receiver);
  session_->send(reply);
}

}  // namespace sockswap::daemon
