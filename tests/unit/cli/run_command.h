// Runs the real command and keeps what it says.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sockswap::cli {

using Json = nlohmann::json;

struct Ran {
  int status = -1;  // exit status; 128 + signal if it was killed
  std::string out;
  std::string err;

  Json json() const;  // `out` as one JSON document on one line; fails the test otherwise
};

struct Surroundings {
  enum class Stream { pipe, terminal };
  Stream out = Stream::pipe;
  Stream err = Stream::pipe;
  std::string control{};                   // $SOCKSWAP_CONTROL; empty: not set
  std::vector<std::string> environment{};  // besides TERM=xterm and TZ=UTC
  std::string out_file{};                  // in place of a pipe
  bool unprivileged = false;               // as a user without rights
};

Ran run_command(std::vector<std::string> arguments, const Surroundings& surroundings = {});

// Against the daemon at that path.
Ran ask(const std::string& control, std::vector<std::string> arguments);

}  // namespace sockswap::cli
