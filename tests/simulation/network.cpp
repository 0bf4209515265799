#include "network.h"

namespace sockswap::simulation {
namespace {

// docs/protocol.md, "Transport": how long a host that is silently gone is not noticed.
constexpr Time until_noticed = std::chrono::seconds(10);
constexpr Time dial_timeout = std::chrono::seconds(2);

}  // namespace

Network::Network(Clock& clock, Random& random, int hosts, Handlers handlers)
    : clock_(clock), random_(random), handlers_(std::move(handlers)) {
  constexpr Time slowest[] = {Time(200), Time(2000), Time(50000), Time(400000)};
  slowest_ = random_.of<Time>(slowest);
  for (int a = 0; a < hosts; ++a)
    for (int b = a + 1; b < hosts; ++b) {
      session(a, b).up = true;
      session(a, b).number = ++sessions_made_;
    }
}

void Network::send(Letter letter) {
  if (letter.from == letter.to) {
    clock_.after(Time(1), [this, letter = std::move(letter)] {
      if (handlers_.daemon_runs(letter.to)) handlers_.deliver(letter);
    });
    return;
  }
  Session& with = session(letter.from, letter.to);
  if (with.up) return transmit(with, std::move(letter));
  const auto [from, to] = std::pair(letter.from, letter.to);
  with.waiting.push_back(std::move(letter));
  if (!with.dialling) dial(from, to);
}

void Network::dial(int from, int to) {
  session(from, to).dialling = true;
  const bool reachable = connected(from, to) && connected(to, from);
  clock_.after(reachable ? 2 * latency() : dial_timeout, [this, from, to] {
    Session& with = session(from, to);
    with.dialling = false;
    std::vector<Letter> waiting;
    std::swap(waiting, with.waiting);
    if (connected(from, to) && connected(to, from) && handlers_.daemon_runs(from) &&
        handlers_.daemon_runs(to)) {
      with.up = true;
      with.number = ++sessions_made_;
      with.last_arrival.clear();
      for (Letter& letter : waiting)
        if (handlers_.daemon_runs(letter.from)) transmit(with, std::move(letter));
      return;
    }
    std::set<int> senders;
    for (const Letter& letter : waiting) senders.insert(letter.from);
    for (const int sender : senders)
      if (handlers_.daemon_runs(sender)) handlers_.lost(sender, sender == from ? to : from);
  });
}

void Network::transmit(Session& with, Letter letter) {
  Time at = std::max(clock_.now() + latency(), with.last_arrival[letter.to]);
  with.last_arrival[letter.to] = at;
  clock_.after(at - clock_.now(), [this, number = with.number, letter = std::move(letter)]() mutable {
    arrive(std::move(letter), number);
  });
}

void Network::arrive(Letter letter, std::uint64_t number) {
  Session& with = session(letter.from, letter.to);
  if (!with.up || with.number != number) {
    // Its session is gone. It may have been received before, and be read late.
    if (random_.one_in(2) || !handlers_.daemon_runs(letter.to)) return;
    clock_.after(latency(), [this, letter = std::move(letter)] {
      if (handlers_.daemon_runs(letter.to)) handlers_.deliver(letter);
    });
    return;
  }
  if (!connected(letter.from, letter.to)) {  // sent again until it comes through, or the session is given up
    with.last_arrival[letter.to] = std::max(with.last_arrival[letter.to], clock_.now() + Time(100000));
    clock_.after(Time(100000),
                 [this, number, letter = std::move(letter)]() mutable { arrive(std::move(letter), number); });
    return;
  }
  if (handlers_.daemon_runs(letter.to)) handlers_.deliver(letter);
}

void Network::cut(int from, int to, Time duration) {
  ++cut_[{from, to}];
  watch(from, to);
  clock_.after(duration, [this, from, to] {
    if (--cut_[{from, to}] == 0) cut_.erase({from, to});
  });
}

// A session whose link stays cut is given up, at either side in its own time.
void Network::watch(int a, int b) {
  const std::uint64_t number = session(a, b).number;
  clock_.after(until_noticed, [this, a, b, number] {
    const Session& with = session(a, b);
    if (!with.up || with.number != number || (connected(a, b) && connected(b, a))) return;
    break_session(a, b, latency(), latency());
  });
}

void Network::break_session(int a, int b, Time until_heard_by_a, Time until_heard_by_b) {
  Session& with = session(a, b);
  if (!with.up) return;
  with.up = false;
  const auto tell = [this](int here, int there, Time when) {
    clock_.after(when, [this, here, there] {
      if (handlers_.daemon_runs(here)) handlers_.lost(here, there);
    });
  };
  tell(a, b, until_heard_by_a);
  tell(b, a, until_heard_by_b);
}

void Network::break_sessions(int host, bool quietly) {
  for (auto& [pair, with] : sessions_) {
    if (pair.first != host && pair.second != host) continue;
    const int other = pair.first == host ? pair.second : pair.first;
    std::erase_if(with.waiting, [&](const Letter& letter) { return letter.from == host; });
    const bool heard_at_once = !quietly && connected(host, other);
    break_session(other, host, heard_at_once ? latency() : until_noticed, Time(0));
  }
}

}  // namespace sockswap::simulation
