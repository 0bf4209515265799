// sockswap-lab ls: the labs that are up.
#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "lab/state_file.h"

namespace sockswap::lab {
namespace {

void print_text(const std::vector<LabState>& labs) {
  for (const LabState& lab : labs) {
    fmt::print("{} ({}, owner {})\n", lab.name, lab.topology, lab.owner.pid);
    for (const HostState& host : lab.hosts)
      fmt::print("  {:<12} {:<15} {:<20} init {}\n", host.name, host.v4, host.v6, host.init.pid);
  }
}

void print_json(const std::vector<LabState>& labs) {
  const char* separator = "[";
  for (const LabState& lab : labs) {
    fmt::print("{}{}", separator, to_json(lab));
    separator = ",\n ";
  }
  fmt::print("{}]\n", labs.empty() ? "[" : "");
}

}  // namespace

Verb add_ls(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print as JSON");
  return [json]() -> Result<int> {
    SOCKSWAP_TRY(const auto labs, StateFolder().list());
    *json ? print_json(labs) : print_text(labs);
    return 0;
  };
}

}  // namespace sockswap::lab
