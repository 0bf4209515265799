// An operator's `sockswap move`: the program that holds the connection is asked to hand it over, with its
// state, and its answer is watched.
#pragma once

#include <asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <vector>

#include "daemon/context.h"
#include "daemon/moves.h"
#include "keep/client.h"
#include "wire/control.pb.h"

namespace sockswap::daemon {

class Program;

class HandOvers {
 public:
  HandOvers(Context& context, Moves& moves) : context_(context), moves_(moves) {}

  // Whoever waits for the outcome of an asked-for move; may be nobody.
  class Asker {
   public:
    Asker() = default;
    Asker(std::weak_ptr<Program> program, std::uint64_t request)
        : program_(std::move(program)), request_(request) {}
    void tell(const wire::Reply& reply) const;

   private:
    std::weak_ptr<Program> program_;
    std::uint64_t request_ = 0;
  };

  // Programs that could be asked, so that they can be found by a holder's pid.
  void add(const std::shared_ptr<Program>& program) { programs_.push_back(program); }

  // MoveConnection: finds the connection and its program, and asks it; for a dry run, only the hosts.
  Result<> ask(std::shared_ptr<Program> operator_, std::uint64_t request, const wire::MoveConnection& what);

  // The program's answer: its Move, whose outcome goes to the asker, or Declined. timed_out if the asker has
  // been told meanwhile that nothing came of it. Number 0, for a move that nobody asked for, has no asker.
  Result<Asker> answered(const Program& program, std::uint64_t number);
  Result<> decline(const Program& program, std::uint64_t number, const std::string& reason);

  void on_program_gone(const Program* program);

  // A living program that hands over and holds this socket; null if there is none.
  std::shared_ptr<Program> program_for(const std::vector<keep::Holder>& holders) const;

 private:
  struct Question {
    Asker asker;
    const Program* asked = nullptr;  // identity only
    std::unique_ptr<asio::steady_timer> timer;
  };
  Result<> try_out(const Asker& asker, const Program& program, const FourTuple& tuple, const std::string& to,
                   const std::string& receiver);
  void give_up(std::uint64_t number, const Error& error);

  Context& context_;
  Moves& moves_;
  std::vector<std::weak_ptr<Program>> programs_;
  std::map<std::uint64_t, Question> questions_;
  std::uint64_t last_number_ = 0;
};

}  // namespace sockswap::daemon
