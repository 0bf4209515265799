#include "lab/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/fd.h"

namespace sockswap::lab {
namespace {

using Json = nlohmann::ordered_json;

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Json json_of(const ProcessName& process) { return {{"pid", process.pid}, {"start", process.start}}; }

ProcessName process_of(const Json& json) { return {.pid = json.at("pid"), .start = json.at("start")}; }

}  // namespace

std::optional<ProcessName> ProcessName::of(pid_t pid) {
  const auto stat = content_of(fmt::format("/proc/{}/stat", pid));
  if (!stat) return std::nullopt;
  // "pid (name) state ppid …": the name may hold anything; the start time is the 20th word after it.
  const auto name_end = stat->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream words(stat->substr(name_end + 1));
  std::string word;
  for (int i = 0; i < 19; ++i) {
    words >> word;
    if (i == 0 && (word == "Z" || word == "X")) return std::nullopt;
  }
  ProcessName process{.pid = pid, .start = 0};
  words >> process.start;
  return process;
}

std::string to_json(const LabState& state) {
  Json hosts = Json::array();
  for (const HostState& host : state.hosts)
    hosts.push_back({{"name", host.name}, {"v4", host.v4}, {"v6", host.v6}, {"init", json_of(host.init)}});
  const Json json{
      {"name", state.name}, {"topology", state.topology}, {"owner", json_of(state.owner)}, {"hosts", hosts}};
  return json.dump();
}

Result<LabState> from_json(std::string_view text) try {
  const Json json = Json::parse(text);
  LabState state{.name = json.at("name"),
                 .topology = json.at("topology"),
                 .owner = process_of(json.at("owner")),
                 .hosts = {}};
  for (const Json& host : json.at("hosts"))
    state.hosts.push_back({.name = host.at("name"),
                           .v4 = host.at("v4"),
                           .v6 = host.at("v6"),
                           .init = process_of(host.at("init"))});
  return state;
} catch (const nlohmann::json::exception& bad) {
  return failure(ErrorCode::internal, fmt::format("a lab's state can't be read: {}", bad.what()));
}

Result<> StateFolder::save(const LabState& state) const {
  if (load(state.name))
    return failure(
        ErrorCode::busy, fmt::format("a lab named {} is up already", state.name),
        fmt::format("end it with \"sockswap-lab down --name {}\", or choose another name", state.name));
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) return system_failure(error.value(), "make folder " + path_);
  // Whole or not at all; link() fails where another owner was faster.
  const std::string path = file_of(state.name);
  const std::string draft = fmt::format("{}.{}", path, ::getpid());
  std::ofstream(draft) << to_json(state) << '\n';
  const int linked = ::link(draft.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(draft.c_str());
  if (linked != 0) return system_failure(linked, "write " + path, ErrorCode::busy);
  return {};
}

Result<LabState> StateFolder::load(const std::string& name) const {
  const auto text = content_of(file_of(name));
  if (text) {
    auto state = from_json(*text);
    if (state && state->owner.alive()) return state;
    remove(name);
  }
  return failure(ErrorCode::not_found, fmt::format("no lab named {} is up", name),
                 "start one with \"sockswap-lab up\"; \"sockswap-lab ls\" shows all");
}

Result<std::vector<LabState>> StateFolder::list() const {
  std::vector<LabState> states;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    if (entry.path().extension() != ".json") continue;
    if (auto state = load(entry.path().stem())) states.push_back(std::move(*state));
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return system_failure(error.value(), "read folder " + path_);
  std::sort(states.begin(), states.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return states;
}

void StateFolder::remove(const std::string& name) const {
  ::unlink(file_of(name).c_str());
  ::rmdir(path_.c_str());  // fails, and shall, while other labs are up
}

}  // namespace sockswap::lab
