// "I have moved": ends that programs left with this daemon, and programs here that wait for theirs.
//
// A ticket is "HOST/SECRET": the host where the ends are parked and 128 random bits. Whoever shows it, on
// an authenticated host of the cluster, gets the ends, once. The ends and their state are with the keeper, so
// that tickets outlive the daemon that gave them out.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/context.h"
#include "daemon/moves.h"

namespace sockswap::daemon {

class Program;

class Parking {
 public:
  Parking(Context& context, Moves& moves) : context_(context), moves_(moves) {}

  // What a daemon before this one had parked.
  Result<> restore();
  bool empty() const { return parked_.empty(); }

  // Keeps the ends until they are fetched. Returns the ticket. no_resources beyond the user's quota.
  Result<std::string> park(uid_t owner, std::vector<ForeignFd> fds, Bytes state);

  // A program here shows a ticket: its ends are brought, as the answer to its request.
  Result<> bring(std::shared_ptr<Program> program, std::uint64_t request, const std::string& ticket);

  // Between hosts.
  void on_fetch(const std::string& host, const wire::Fetch& fetch);
  void on_fetch_refused(const std::string& host, const wire::FetchRefused& refused);
  void on_host_lost(const std::string& host, const Error& error);

  void on_program_gone(const Program* program);

 private:
  struct Parked {
    uid_t owner = 0;
    std::size_t ends = 0;  // in the keeper's store, under the secret; and so is the state
    std::size_t state_bytes = 0;
    bool fetching = false;  // a move of it is under way
  };
  struct Waiting;
  std::shared_ptr<Waiting> forget(const std::string& receiver);
  Result<> check_quota(uid_t owner, std::size_t ends, std::size_t state_bytes) const;
  void fail(const std::string& receiver, const Error& error);
  Result<Arrived> take(const std::string& secret, uid_t owner);

  Context& context_;
  Moves& moves_;
  std::map<std::string, Parked> parked_;                     // by secret
  std::map<std::string, std::shared_ptr<Waiting>> waiting_;  // by one-time receiver
};

}  // namespace sockswap::daemon
