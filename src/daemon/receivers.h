// Who takes ends that arrive: programs registered under a name, and programs that wait for one ticket.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/foreign_fd.h"
#include "base/result.h"
#include "move/id.h"

namespace sockswap::daemon {

struct ArrivedEnd {
  ForeignFd fd;
  FourTuple tuple;        // now
  Endpoint former_local;  // before the move
};

struct Arrived {
  move::MoveId id;
  std::string from;  // origin host
  std::vector<ArrivedEnd> ends;
  Bytes state;
};

// One that takes ends. Owned by the program's control session; when that goes, it expires.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // Hands the ends over. receiver_gone if the program can't take them any more; they are closed then.
  virtual Result<> take(Arrived arrived) = 0;
  // Whose the sockets become.
  virtual uid_t owner() const = 0;
  virtual pid_t pid() const = 0;  // its process
  // It has ended, though on_gone may not have been called yet.
  virtual bool has_gone() const = 0;
  // A move that was to bring ends to it has been undone.
  virtual void not_coming(const Error&) {}
};

class Receivers {
 public:
  // 1 to 64 letters, digits, dots, underscores and dashes; else `code`.
  static Result<> check_name(std::string_view name, ErrorCode code = ErrorCode::usage);

  // usage for a name that is none, busy if a living receiver has it.
  Result<> add(const std::string& name, std::weak_ptr<Receiver> receiver);
  void remove(const std::string& name, const Receiver* receiver);  // only if it is still that one

  // unknown_receiver, naming those that there are.
  Result<std::shared_ptr<Receiver>> find(const std::string& name) const;

  // The names that this receiver is registered under.
  std::vector<std::string> names_of(const Receiver* receiver) const;

  // Called with each name that comes, later and not from inside add(), and with each that goes.
  std::function<void(const std::string& name)> on_added;
  std::function<void(const std::string& name)> on_gone;

 private:
  std::map<std::string, std::weak_ptr<Receiver>> by_name_;
};

}  // namespace sockswap::daemon
