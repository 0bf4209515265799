#include "daemon/hand_overs.h"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>

#include "daemon/program.h"
#include "daemon/replies.h"
#include "wire/endpoints.h"

namespace sockswap::daemon {
namespace {

// A program that is asked answers from its event loop; longer silence means that it doesn't look.
constexpr std::chrono::seconds answer_deadline{5};

}  // namespace

void HandOvers::Asker::tell(const wire::Reply& reply) const {
  if (auto program = program_.lock()) program->reply(request_, reply);
}

std::shared_ptr<Program> HandOvers::program_for(const std::vector<keep::Holder>& holders) const {
  for (const auto& weak : programs_)
    if (auto program = weak.lock(); program && program->hands_over())
      if (std::ranges::find(holders, program->credentials().pid, &keep::Holder::pid) != holders.end())
        return program;
  return nullptr;
}

Result<> HandOvers::ask(std::shared_ptr<Program> operator_, std::uint64_t request,
                        const wire::MoveConnection& what) {
  SOCKSWAP_TRY(const FourTuple tuple, wire::from_message(what.tuple()));
  if (context_.hosts.find(what.to()) == nullptr)
    return failure(ErrorCode::unknown_host, fmt::format("the cluster has no host '{}'", what.to()),
                   "`sockswap hosts` lists them");
  if (!what.receiver().empty()) SOCKSWAP_CHECK(Receivers::check_name(what.receiver()));
  SOCKSWAP_TRY(const auto entry, context_.keeper.connection(tuple));
  if (!entry)
    return failure(ErrorCode::not_found, fmt::format("no connection {} here", tuple.text()),
                   "`sockswap ls` on this host shows those that there are, written as LOCAL-REMOTE");
  const Credentials& who = operator_->credentials();
  if (who.uid != 0 && who.uid != entry->uid)
    return failure(ErrorCode::not_permitted, fmt::format("{} is another user's", tuple.text()),
                   "root may move anybody's connections");
  if (entry->state != TCP_ESTABLISHED)
    return failure(ErrorCode::not_movable, fmt::format("{} is half-closed or closing", tuple.text()),
                   "only established connections move");
  const std::vector<keep::Holder>& holders = entry->holders;
  const auto program = program_for(holders);
  if (!program)
    return failure(ErrorCode::not_movable,
                   fmt::format("{} is held by {}, which doesn't hand connections over", tuple.text(),
                               holders.empty() ? "no process" : holders.front().command),
                   "an unmodified program can be the staying end; the moving end's program uses libsockswap");
  std::string receiver = what.receiver();
  if (receiver.empty()) receiver = program->names().front();
  if (what.dry_run()) return try_out(Asker(operator_, request), *program, tuple, what.to(), receiver);
  const std::uint64_t number = ++last_number_;
  Question& question = questions_[number];
  question.asker = Asker(operator_, request);
  question.asked = program.get();
  question.timer = std::make_unique<asio::steady_timer>(context_.io, answer_deadline);
  question.timer->async_wait([this, number](const asio::error_code& error) {
    if (!error)
      give_up(number, {ErrorCode::timed_out, "the program that holds the connection doesn't answer",
                       "it has to call sockswap_next() in its event loop; the connection is as it was", 0});
  });
  program->ask_to_hand_over(number, tuple, what.to(), receiver);
  return {};
}

// The first half of a move: every host says whether it would take part, and nothing is frozen. The program
// isn't asked: it might decline.
Result<> HandOvers::try_out(const Asker& asker, const Program& program, const FourTuple& tuple,
                            const std::string& to, const std::string& receiver) {
  MoveOrder order{.fds = {},
                  .state = {},
                  .to = to,
                  .receiver = receiver,
                  .dry_run = true,
                  .connection = tuple,
                  .asked_by = program.credentials().pid};
  auto begun =
      moves_.begin(std::move(order), {.step = nullptr, .done = [asker](Result<MoveReport> outcome) {
                                        asker.tell(outcome ? done_reply() : failed_reply(outcome.error()));
                                      }});
  if (!begun) return failure(std::move(begun).error());
  return {};
}

Result<HandOvers::Asker> HandOvers::answered(const Program& program, std::uint64_t number) {
  if (number == 0) return Asker{};
  const auto question = questions_.find(number);
  if (question == questions_.end() || question->second.asked != &program)
    return failure(ErrorCode::timed_out, "nobody waits for that hand-over any more",
                   "it has to be answered within 5 seconds; the connection is as it was");
  Asker asker = question->second.asker;
  questions_.erase(question);
  return asker;
}

Result<> HandOvers::decline(const Program& program, std::uint64_t number, const std::string& reason) {
  SOCKSWAP_TRY(const Asker asker, answered(program, number));
  asker.tell(failed_reply({ErrorCode::not_permitted, fmt::format("the program declined: {}", reason),
                           "the connection is as it was", 0}));
  return {};
}

void HandOvers::give_up(std::uint64_t number, const Error& error) {
  const auto question = questions_.find(number);
  if (question == questions_.end()) return;
  const Asker asker = question->second.asker;
  questions_.erase(question);
  asker.tell(failed_reply(error));
}

void HandOvers::on_program_gone(const Program* program) {
  std::vector<std::uint64_t> unanswered;
  for (const auto& [number, question] : questions_)
    if (question.asked == program) unanswered.push_back(number);
  for (const std::uint64_t number : unanswered)
    give_up(number, {ErrorCode::receiver_gone, "the program that holds the connection ended",
                     "the connection ended with it, as without a move", 0});
  std::erase_if(programs_, [&](const auto& weak) { return weak.expired() || weak.lock().get() == program; });
}

}  // namespace sockswap::daemon
