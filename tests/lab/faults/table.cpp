#include "table.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace sockswap::faults {
namespace {

using namespace std::chrono_literals;

constexpr auto briefly = 300ms;
constexpr auto beyond_the_hold_limit = 6000ms;

std::string dashed(std::string text) {
  std::ranges::replace(text, ' ', '-');
  return text;
}

std::vector<Fault> all_faults() {
  std::vector<Fault> faults;
  for (const Deed deed : {Deed::kill, Deed::power, Deed::cut, Deed::cut_in, Deed::cut_out})
    for (const char* host : roles) faults.push_back({deed, host});
  return faults;
}

}  // namespace

std::string_view name(Deed deed) {
  switch (deed) {
    case Deed::kill: return "kill";
    case Deed::power: return "power";
    case Deed::cut: return "cut";
    case Deed::cut_in: return "cut-in";
    case Deed::cut_out: return "cut-out";
    case Deed::kill_both: return "kill-both";
  }
  return "";
}

// A peer's `in doubt` isn't here: only another peer than the arbiter is ever in doubt, and this move has one.
const std::vector<Instant>& instants() {
  static const std::vector<Instant> all{
      {"origin", "asked"},
      {"origin", "bringing", Way::long_state},
      {"origin", "agreed"},
      {"origin", "freezing"},
      {"origin", "frozen"},
      {"origin", "delivered"},
      {"origin", "held"},
      {"origin", "deciding"},
      {"origin", "committed", Way::slow_destination},
      {"origin", "swapped", Way::slow_destination},
      {"origin", "activated"},
      {"origin", "thawed", Way::slow_peer},
      {"origin", "undone", Way::slow_peer},
      {"destination", "reserved"},
      {"destination", "state taken", Way::long_state},
      {"destination", "delivered"},
      {"destination", "rebuilt"},
      {"destination", "letting go"},
      {"destination", "thawed"},
      {"destination", "handed over"},
      {"destination", "in doubt", Way::lost_origin},
      {"destination", "undone", Way::slow_peer},
      {"peer", "found"},
      {"peer", "holding"},
      {"peer", "paused"},
      {"peer", "held"},
      {"peer", "swapping"},
      {"peer", "repointed"},
      {"peer", "swapped"},
      {"peer", "undone", Way::slow_peer},
  };
  return all;
}

std::string Case::name() const {
  std::string text =
      fmt::format("{}:{}/{}-{}", at.role, dashed(at.step), faults::name(fault.deed), fault.host);
  if (lasts != briefly) text += fmt::format("/{}ms", lasts.count());
  return text;
}

bool Case::destination_may_lose() const {
  if (at.way == Way::slow_peer || at.way == Way::lost_origin) return false;
  const auto is_one_of = [&](std::initializer_list<std::string_view> steps) {
    return std::ranges::find(steps, at.step) != steps.end();
  };
  // Ready can be on its way once Deliver is, and is heard even if its sender is gone by then.
  if (at.role == "origin")
    return is_one_of({"delivered", "held", "deciding", "committed", "swapped", "activated"});
  if (at.role == "destination") return is_one_of({"rebuilt", "letting go", "thawed", "handed over"});
  return true;
}

std::vector<Case> table() {
  std::vector<Case> cases;
  for (const Instant& at : instants())
    for (const Fault& fault : all_faults()) {
      cases.push_back({at, fault, briefly});
      const bool frozen = at.step == "held" || at.step == "deciding" || at.step == "swapping" ||
                          at.step == "rebuilt" || at.step == "in doubt";
      if (frozen && (fault.deed == Deed::kill || fault.deed == Deed::cut))
        cases.push_back({at, fault, beyond_the_hold_limit});
    }
  return cases;
}

std::optional<Case> find(const std::string& name) {
  std::vector<Fault> faults = all_faults();
  for (const char* host : roles) faults.push_back({Deed::kill_both, host});
  for (const Instant& at : instants())
    for (const Fault& fault : faults)
      for (const auto lasts : {briefly, std::chrono::milliseconds(beyond_the_hold_limit)})
        if (Case found{at, fault, lasts}; found.name() == name) return found;
  return std::nullopt;
}

std::vector<Case> sample(std::uint64_t seed, std::size_t count) {
  std::vector<Case> cases = table(), chosen;
  std::mt19937_64 random(seed);
  while (chosen.size() < count && !cases.empty()) {
    const auto at = cases.begin() + static_cast<std::ptrdiff_t>(random() % cases.size());
    chosen.push_back(*at);
    cases.erase(at);
  }
  return chosen;
}

}  // namespace sockswap::faults
