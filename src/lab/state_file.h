// What `sockswap-lab up` leaves for the other verbs: one JSON file a lab, /run/sockswap-lab/NAME.json.
// It is only a note: the lab itself lives and dies with its owner. A note whose owner has gone (or whose
// PID belongs to somebody else by now) is stale; whoever meets it removes it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace sockswap::lab {

// A process for as long as it lives: its PID and its start time, in clock ticks since boot.
struct ProcessName {
  pid_t pid = 0;
  std::uint64_t start = 0;

  static std::optional<ProcessName> of(pid_t pid);  // none if there is no such process
  bool alive() const { return of(pid) == *this; }
  bool operator==(const ProcessName&) const = default;
};

struct HostState {
  std::string name;
  std::string v4, v6;
  ProcessName init;
};

struct LabState {
  std::string name;
  std::string topology;
  ProcessName owner;
  std::vector<HostState> hosts;
};

std::string to_json(const LabState& state);  // one object, one line
Result<LabState> from_json(std::string_view text);

class StateFolder {
 public:
  explicit StateFolder(std::string path = "/run/sockswap-lab") : path_(std::move(path)) {}

  // Fails with busy if a living lab has that name.
  Result<> save(const LabState& state) const;
  Result<LabState> load(const std::string& name) const;
  Result<std::vector<LabState>> list() const;  // the living ones, by name
  void remove(const std::string& name) const;

 private:
  std::string file_of(const std::string& name) const { return path_ + "/" + name + ".json"; }

  std::string path_;
};

}  // namespace sockswap::lab
