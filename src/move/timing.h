// How long the parts of a move wait. What hangs together stands together: a peer's hold outlasts its origin's
// freeze, so that a slow move is undone by the one who can say why.
#pragma once

#include <chrono>

namespace sockswap::move {

// From the freeze to the arbiter's answer a program at another host stands still, whose user nobody asked.
inline constexpr std::chrono::milliseconds freeze_deadline{3000};
// The arbiter, which is free to, gives a hold up after this long without a word.
inline constexpr std::chrono::milliseconds hold_limit{4000};
// What was not confirmed is said again, and who doesn't know asks again, this often.
inline constexpr std::chrono::milliseconds resend_interval{1000};
inline constexpr std::chrono::milliseconds ask_interval{1000};
// So many times after the arbiter was asked, whoever wants the move is told that the outcome is open.
inline constexpr int resends_until_in_doubt = 10;
// Silence for so long is not waited for any longer; an origin's own timers are shorter.
inline constexpr std::chrono::milliseconds patience{15000};
// An arbiter that has undone its part by itself remembers it until its origin knows, but no longer than so
// many times its patience: a day.
inline constexpr int patience_with_undone = 5760;

}  // namespace sockswap::move
