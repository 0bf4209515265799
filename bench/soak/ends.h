// The programs at the two ends of a soak, and what they have said. They write into files on their hosts, so
// that nobody waits for a reader.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lab/cluster.h"
#include "numbered.h"
#include "soak.h"

namespace sockswap::soak {

// A program on a lab host, whose lines are read as they come.
class Speaker {
 public:
  // `name` is that of its files in the host's /run.
  static Result<Speaker> start(lab::Host& host, const std::string& name, std::vector<std::string> argv);

  // The lines since the last call. An error if it has ended otherwise than by exit status 0.
  Result<std::vector<std::string>> read();
  // Reads until a line begins with `word`.
  Result<std::string> wait_for(const std::string& word);
  Result<> write(const std::string& line) { return process_.write(line); }
  pid_t pid() const { return process_.pid(); }  // as seen from outside the host

 private:
  Speaker(lab::Process process, Fd out, Fd err, std::string name)
      : process_(std::move(process)), out_(std::move(out)), err_(std::move(err)), name_(std::move(name)) {}

  lab::Process process_;
  Fd out_, err_;
  std::string name_, begun_;  // begun_: a line whose end hasn't come yet
};

// What an end says that has seen the end of the stream.
std::optional<Position> end_of(const std::string& line);

// An end that wanders: a program on each host of its ring. It rests on the first.
class Wandering {
 public:
  static Result<Wandering> start(lab::Cluster& cluster, const std::string& program, const Options& options,
                                 const std::string& name, const std::vector<std::string>& ring,
                                 const std::string& opens, const Endpoint& at);

  Result<> go(int moves);
  Result<> finish() { return speakers_.front().write("end\n"); }
  Result<> listen();  // takes in what its programs have said
  bool rests() const { return rested_at_ == asked_; }
  Result<Position> wait_for_end();

  const std::vector<double>& pauses() const { return pauses_; }  // in µs, in the order of the moves
  long busy() const { return busy_; }

 private:
  std::vector<Speaker> speakers_;
  std::vector<double> pauses_;
  long asked_ = 0, rested_at_ = -1, busy_ = 0;
};

}  // namespace sockswap::soak
