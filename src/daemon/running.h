// Runs one machine of src/move: performs its actions in order and feeds the outcomes back. What all
// three roles have in common; the roles' own actions are in origin_move, destination_move, peer_move.
#pragma once

#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "daemon/context.h"
#include "move/actions.h"
#include "move/journal.h"

namespace sockswap::daemon {

inline constexpr std::chrono::seconds in_doubt_after{10};

template <class Machine, class Derived>
class Running {
 public:
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Called once, when the machine has finished and nothing of it runs any more.
  std::function<void()> on_finished;

  const Machine& machine() const { return machine_; }
  bool finished() const { return finished_; }

  // Goes on where a daemon that was killed had come to.
  void resume() {
    record_->step("restored");
    run(machine_.resume());
  }

  // An operator's word. False if nothing is in doubt, or hasn't been for long: it settles by itself as a
  // rule.
  bool settle(bool moved) {
    if (!machine_.in_doubt() || std::chrono::steady_clock::now() - record_->began < in_doubt_after)
      return false;
    record_->step("settled");
    run(machine_.settle(moved));
    return true;
  }

  // Messages of this move, with their attachments.
  void on_message(const std::string& from, const wire::Message& message, std::vector<Bytes> attachments) {
    attachments_ = std::move(attachments);
    message_ = &message;
    run(machine_.on_message(from, message));
    message_ = nullptr;
    attachments_.clear();
  }

 protected:
  Running(Context& context, Machine machine, std::shared_ptr<MoveRecord> record)
      : context_(context), machine_(std::move(machine)), record_(std::move(record)), timer_(context.io) {
    record_->state = name(machine_.state());
  }
  ~Running() = default;

  void run(typename Machine::Actions actions) {
    for (auto& action : actions) queue_.push_back(std::move(action));
    if (running_) return;  // an outcome, fed back from inside perform()
    running_ = true;
    while (!queue_.empty()) {
      auto action = std::move(queue_.front());
      queue_.pop_front();
      std::visit([this](auto& what) { static_cast<Derived*>(this)->perform(what); }, action);
    }
    running_ = false;
    record_->state = name(machine_.state());
    if (finished_ && on_finished) on_finished();
  }

  void perform(move::action::Send& send) { send_or_fail(send.to, send.message); }
  void perform(move::action::Write& write) {
    static_cast<Derived*>(this)->complete(write.record);
    log::debug("move {}: {}", record_->id.text(), move::name(write.record.mark_case()));
    auto written = context_.journal.write(write.record, write.needed);
    if (written) return;
    log::error("move {}: {}", record_->id.text(), written.error().text());
    if (!write.needed) return;
    queue_.clear();
    record_->error = written.error();
    run(machine_.on_unwritten(std::move(written).error()));
  }
  void perform(move::action::Step& step) { record_->step(step.name); }
  void perform(move::action::SetTimer& timer) {
    timer_.expires_after(timer.after);
    timer_.async_wait(while_alive([this, setting = ++settings_](const asio::error_code& error) {
      if (!error && !finished_ && setting == settings_) run(machine_.on_timer());
    }));
  }
  void perform(move::action::Finish&) {
    timer_.cancel();
    finished_ = true;
  }

  // For a callback that may outlive this: nothing is done then. So may any of a timer's, even one that was
  // set anew, cancelled or destroyed: its expiry is queued already.
  template <class Callback>
  auto while_alive(Callback callback) const {
    return [alive = std::weak_ptr(alive_), callback = std::move(callback)](const auto& outcome) mutable {
      if (!alive.expired()) callback(outcome);
    };
  }

  // What only the role knows of what a record must hold.
  void complete(move::JournalRecord&) {}

  // What is too large to be sent, or asked to be, fails this move alone.
  void send_or_fail(const std::string& to, const wire::Message& message,
                    std::vector<Bytes> attachments = {}) {
    if (auto sent = context_.mesh.send(to, message, std::move(attachments)); !sent)
      run(machine_.on_failure(std::move(sent).error()));
  }

  Context& context_;
  Machine machine_;
  std::shared_ptr<MoveRecord> record_;
  const wire::Message* message_ = nullptr;  // the one being worked on; only inside on_message()
  std::vector<Bytes> attachments_;          // its attachments; an action may take them

 private:
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  asio::steady_timer timer_;
  std::uint64_t settings_ = 0;  // of the timer
  std::deque<typename Machine::Action> queue_;
  bool running_ = false;
  bool finished_ = false;
};

}  // namespace sockswap::daemon
