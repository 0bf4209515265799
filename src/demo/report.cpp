#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "demo/demo.h"

namespace sockswap::demo {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Move& move) {
  Json steps = Json::array();
  for (const Step& step : move.steps) steps.push_back({{"name", step.name}, {"at_us", step.at_us}});
  return {{"from", move.from},
          {"to", move.to},
          {"at_bytes", move.at_bytes},
          {"at_ms", move.at_ms},
          {"pause_ms", move.pause_ms},
          {"frozen_ms", move.frozen_ms},
          {"packets_at_former_host", move.packets_at_former_host},
          {"steps", steps}};
}

Json json_of(const Transfer& transfer) {
  Json moves = Json::array();
  for (const Move& move : transfer.moves) moves.push_back(json_of(move));
  return {{"program", transfer.program},
          {"bytes", transfer.bytes},
          {"sha256_sent", transfer.sha256_sent},
          {"sha256_received", transfer.sha256_received},
          {"moves", moves},
          {"packets_at_former_host", transfer.packets_at_former_host},
          {"rst", transfer.resets},
          {"link_bits_per_second", transfer.rate},
          {"chart", transfer.chart.string()},
          {"holds", transfer.holds()}};
}

std::string steps_of(const Move& move) {
  std::string out;
  double before = -1;
  for (const Step& step : move.steps) {
    if (step.name == "freezing") {
      before = step.at_us;
      continue;
    }
    if (before < 0) continue;  // what comes before the freeze stops nobody
    out += fmt::format("{}{} +{:.0f}", out.empty() ? "" : ", ", step.name, step.at_us - before);
    before = step.at_us;
  }
  return out + " µs";
}

std::string lines_of(const Transfer& transfer) {
  const bool same = transfer.sha256_sent == transfer.sha256_received;
  std::string out = fmt::format("\n{} on alpha, unmodified, to the example receiver\n", transfer.program);
  out += fmt::format("  sent      {:>12} bytes  SHA-256 {}\n", transfer.bytes_sent, transfer.sha256_sent);
  out += fmt::format("  received  {:>12} bytes  SHA-256 {}  {}\n", transfer.bytes, transfer.sha256_received,
                     same ? "(the same)" : "(DIFFERENT)");
  for (const Move& move : transfer.moves) {
    out += fmt::format(
        "  {:>5} -> {:<5} at {:6.1f} MB   pause {:7.2f} ms for the receiver, {:6.2f} ms by the daemons\n",
        move.from, move.to, static_cast<double>(move.at_bytes) / 1e6, move.pause_ms, move.frozen_ms);
    out += fmt::format("                 {}\n", steps_of(move));
  }
  out += fmt::format("  packets at a host that no longer holds the end: {}    RST on the wire: {}\n",
                     transfer.packets_at_former_host, transfer.resets);
  out += fmt::format("  throughput over time: {}\n", transfer.chart.string());
  return out;
}

}  // namespace

std::string screen(const std::vector<Transfer>& transfers) {
  std::string out;
  bool all = true;
  for (const Transfer& transfer : transfers) {
    out += lines_of(transfer);
    all = all && transfer.holds();
  }
  return out + (all ? "\nEverything arrived, once and in order, and nothing stayed behind.\n"
                    : "\nNOT everything holds: see above.\n");
}

// The first program's figures at the top, where scripts look for them; every program's in `programs`.
std::string json(const std::vector<Transfer>& transfers) {
  Json out = transfers.empty() ? Json::object() : json_of(transfers.front());
  Json programs = Json::array();
  std::uint64_t packets = 0, resets = 0;
  bool all = !transfers.empty();
  for (const Transfer& transfer : transfers) {
    programs.push_back(json_of(transfer));
    packets += transfer.packets_at_former_host;
    resets += transfer.resets;
    all = all && transfer.holds();
  }
  out["packets_at_former_host"] = packets;
  out["rst"] = resets;
  out["holds"] = all;
  out["programs"] = programs;
  return out.dump() + "\n";
}

}  // namespace sockswap::demo
