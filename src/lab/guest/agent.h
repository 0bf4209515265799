// What runs programs on a guest, a host with a kernel of its own: its PID 1, for whoever made the guest.
//
// A caller connects once for each standard stream that it wants to hold, which becomes the program's, and
// once for the program. The first line of a connection says what it is for:
//
//   {"stream": NAME}                                       kept until a program asks for it
//   {"run": [WORD, …], "env": [KEY=VALUE, …], "cwd": FOLDER, "user": [UID, GID] or null,
//    "streams": [{"kind": "null" | "console"} | {"kind": "file", "path": P} | {"kind": "socket", "name": N},
//    …3]}
//
//   {"clock": true}                                        CLOCK_MONOTONIC, as {"ns": N}; asked again and
//   again
//
// To "run" the agent answers {"pid": N} or {"error": ERRNO}, then takes {"signal": N} and says {"code": N,
// "signal": N} at the program's end. A caller that goes away ends its program. Nobody but the machine that
// the guest runs on reaches the agent, and nothing is checked: it may do everything here anyhow. One thread.
#pragma once

#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "lab/process.h"

namespace sockswap::lab::guest {

class Agent {
 public:
  explicit Agent(Fd listener) : listener_(std::move(listener)) {}
  [[noreturn]] void serve();

 private:
  struct Call {
    Fd socket;
    std::string unread;
    std::optional<Process> program;
  };

  bool hear(Call& call);  // false: it is over
  bool obey(Call& call, const nlohmann::json& words);
  void run(Call& call, const nlohmann::json& words);
  Result<Stdio> stream(const nlohmann::json& words);
  void tell_ends();

  Fd listener_;
  std::list<Call> calls_;
  std::map<std::string, Fd> streams_;  // by name, not taken yet
};

}  // namespace sockswap::lab::guest
