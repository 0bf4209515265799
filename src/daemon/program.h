// One connected program (or `sockswap` command): what it asks for, and what it is registered as.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "daemon/context.h"
#include "daemon/control_session.h"
#include "daemon/moves.h"
#include "daemon/receivers.h"

namespace sockswap::daemon {

class HandOvers;
class Parking;

// The services that requests are answered with.
struct Services {
  Context& context;
  Moves& moves;
  HandOvers& hand_overs;
  Parking& parking;
};

class Program : public Receiver, public std::enable_shared_from_this<Program> {
 public:
  Program(Services services, std::shared_ptr<ControlSession> session)
      : services_(services), session_(std::move(session)) {}

  // Begins to serve; `gone` is called once when the program has disconnected.
  void start(std::function<void()> gone);

  // An arrival for one of its names.
  Result<> take(Arrived arrived) override;
  uid_t owner() const override { return credentials().uid; }
  pid_t pid() const override { return credentials().pid; }
  bool has_gone() const override { return session_->hung_up(); }
  // An arrival that answers its request `number` (HaveMoved).
  Result<> take_for(std::uint64_t number, Arrived arrived);

  void reply(std::uint64_t number, wire::Reply reply) const;
  void fail(std::uint64_t number, const Error& error) const;
  // Tells the program to hand a connection over; it answers by Move or Declined with `number`.
  void ask_to_hand_over(std::uint64_t number, const FourTuple& tuple, const std::string& to,
                        const std::string& receiver) const;

  const Credentials& credentials() const { return session_->credentials(); }
  bool hands_over() const { return hands_over_; }
  std::vector<std::string> names() const { return services_.context.receivers.names_of(this); }

 private:
  void serve(wire::Request request, std::vector<Bytes> attachments, std::vector<ForeignFd> fds);
  Result<> register_receiver(std::uint64_t number, const wire::Register& request);
  Result<> move(std::uint64_t number, const wire::Move& request, std::vector<Bytes> attachments,
                std::vector<ForeignFd> fds);
  Result<> settle(std::uint64_t number, const wire::SettleMove& request);
  Result<> park(std::uint64_t number, std::vector<Bytes> attachments, std::vector<ForeignFd> fds);
  void close();

  Services services_;
  std::shared_ptr<ControlSession> session_;
  std::function<void()> gone_;
  std::set<std::string> names_;
  std::set<move::MoveId> moving_;  // undone, if they still can be, when it disconnects
  bool hands_over_ = false;
};

}  // namespace sockswap::daemon
