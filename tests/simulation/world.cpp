#include "world.h"

#include <fmt/format.h>

#include <algorithm>

namespace sockswap::simulation {
namespace {

constexpr std::size_t most_events = 60'000;
constexpr Time settling = std::chrono::minutes(20);  // longer than anything remembers

class World {
 public:
  explicit World(const Settings& settings)
      : settings_(settings), random_(settings.seed), kernels_(random_, pick_hosts()) {
    if (settings_.keep_history)
      witness_.history = [this](const std::string& line) { outcome_.history.push_back(line); };
    witness_.arbiter_swapped = [this](const move::MoveId& id) { moves_[id].committed = true; };
    witness_.concluded = [this](const move::MoveId& id, const std::optional<Error>& error) {
      moves_[id].told = true, moves_[id].error = error;
    };
    witness_.receiver_lives = [this](int host) { return !dead_receivers_.contains(host); };
    kernels_.passes = [this](int from, int to) { return from == to || network_->connected(from, to); };
    kernels_.on_reset = [this](const End& sender) { judge_reset(sender); };
    network_.emplace(
        clock_, random_, count_,
        Network::Handlers{.deliver = [this](const Letter& letter) { host(letter.to).deliver(letter); },
                          .lost = [this](int here, int there) { host(here).lost(there); },
                          .daemon_runs = [this](int number) { return host(number).daemon_runs(); }});
    for (int number = 0; number < count_; ++number)
      hosts_.push_back(
          std::make_unique<Host>(number, clock_, random_, kernels_, *network_, settings_.mutant, witness_));
    connect();
    plan();
  }

  Outcome run() {
    const Time end = clock_.now() + std::chrono::minutes(1) + settling;
    while (!outcome_.violation && clock_.step(end)) {
      if (++outcome_.events > most_events) violate("it doesn't come to rest");
      if (clock_.now() < calm_) stir();
      check();
    }
    if (!outcome_.violation) judge_end();
    return std::move(outcome_);
  }

 private:
  struct Connection {
    bool may_break = false;  // a host that it can't live without has lost its power
  };
  struct Move {
    bool committed = false, told = false;
    std::optional<Error> error;
    std::vector<std::size_t> parties;  // that move
    int origin = 0, destination = 0, arbiter = 0;
    int memories_lost = 0;
    bool destination_down = false;  // before the move was at rest
  };

  int pick_hosts() { return count_ = static_cast<int>(3 + random_.below(3)); }
  Host& host(int number) { return *hosts_[static_cast<std::size_t>(number)]; }
  int any_host() { return static_cast<int>(random_.below(static_cast<std::uint64_t>(count_))); }

  void violate(std::string what) {
    if (!outcome_.violation) outcome_.violation = std::move(what);
  }

  void connect() {
    const std::size_t connections = 1 + random_.below(3);
    for (std::size_t c = 0; c < connections; ++c) {
      kernels_.add_connection();
      connections_.emplace_back();
      const int hosts[] = {0, any_host()};
      FourTuple tuple{kernels_.free_endpoint(hosts[0]), kernels_.free_endpoint(hosts[1])};
      const socket::Sequence start[] = {socket::Sequence(static_cast<std::uint32_t>(random_.next())),
                                        socket::Sequence(static_cast<std::uint32_t>(random_.next()))};
      for (std::size_t side = 0; side < 2; ++side) {
        auto end =
            kernels_.make(hosts[side], side == 0 ? tuple : tuple.flipped(), kernels_.party(2 * c + side));
        end->snd_una = end->snd_nxt = start[side];
        end->rcv_nxt = start[1 - side];
        end->owned = true;
      }
    }
  }

  // ---- what happens, and when ----
  void plan() {
    const std::size_t moves = 1 + random_.below(3);
    for (std::size_t i = 0; i < moves; ++i)
      clock_.after(i == 0 ? Time(1000) : Time(random_.between(1000, random_.one_in(2) ? 20'000 : 8'000'000)),
                   [this] { begin_move(); });
    calm_ = std::chrono::seconds(40);
    for (std::uint64_t left = settings_.faults ? random_.below(6) : 0; left > 0; --left) plan_fault();
    for (int i = 0; i < 200; ++i) clock_.after(Time(i * 10'000), [] {});  // so that the streams flow
  }

  Time how_long() {
    constexpr Time choices[] = {Time(1000), Time(100'000), Time(2'000'000), Time(7'000'000),
                                Time(25'000'000)};
    return random_.of<Time>(choices);
  }

  void plan_fault() {
    // A good part while the first move is under way, however slow its network is.
    const Time spans[] = {7 * network_->slowest(), 7 * network_->slowest(), Time(600'000), Time(12'000'000)};
    const Time when(random_.between(500, 500 + random_.of<Time>(spans).count()));
    const int victim = any_host(), other = any_host();
    const Time away = how_long();
    switch (random_.below(8)) {
      case 0:
      case 1: clock_.after(when, [this, victim, away] { kill(victim, away); }); return;
      case 2:
      case 3: {  // in the midst of whatever it does then
        const int actions = static_cast<int>(1 + random_.below(40));
        clock_.after(when, [this, victim, away, actions] {
          host(victim).doom(actions, [this, victim, away] { kill(victim, away); });
        });
        return;
      }
      case 4:
        clock_.after(when, [this, victim, away] {
          lose_power(victim);
          clock_.after(away, [this, victim] { host(victim).power_on(); });
        });
        return;
      case 5:
        if (victim == other) return;
        clock_.after(when, [this, victim, other, away] {
          note(fmt::format("the link from {} to {} is cut", host_name(victim), host_name(other)));
          network_->cut(victim, other, away);
        });
        return;
      case 6: {  // from one other, or from all
        const bool alone = random_.one_in(2);
        clock_.after(when, [this, victim, other, away, alone] {
          note(fmt::format("{} is parted from {}", host_name(victim), alone ? "all" : host_name(other)));
          for (int each = 0; each < count_; ++each) {
            if (each == victim || (!alone && each != other)) continue;
            network_->cut(victim, each, away);
            network_->cut(each, victim, away);
          }
        });
        return;
      }
      default:
        if (random_.one_in(4)) {
          clock_.after(when, [this, victim] { kill_receiver(victim); });
          return;
        }
        clock_.after(when, [this, victim] { host(victim).fill_disk(true); });
        clock_.after(when + away, [this, victim] { host(victim).fill_disk(false); });
    }
  }

  void note(const std::string& what) {
    if (witness_.history) witness_.history(fmt::format("{:>12} {}", clock_.now().count(), what));
  }

  void kill(int victim, Time away) {
    if (!host(victim).daemon_runs()) return;
    host(victim).kill_daemon();
    clock_.after(away, [this, victim] { host(victim).start_daemon(); });
  }

  void kill_receiver(int victim) {
    note(fmt::format("the receiver on {} dies", host_name(victim)));
    dead_receivers_.insert(victim);
    for (auto& [id, move] : moves_)
      if (move.destination == victim)
        for (const std::size_t party : move.parties) connections_[party / 2].may_break = true;
  }

  void lose_power(int victim) {
    if (!host(victim).powered()) return;
    for (const auto& end : kernels_.ends()) {
      if (end->host != victim) continue;
      // An old end, whose connection lives elsewhere since the arbiter has swapped, is no loss.
      const Move* move = move_of(*end);
      const bool old = move != nullptr && move->committed && end->state == End::State::frozen &&
                       !end->staying && move->origin == victim;
      if (!old) connections_[end->party->number / 2].may_break = true;
    }
    // Two of those that know what was decided: what hangs on it may go with them. (One host can be two.)
    for (auto& [id, move] : moves_) {
      if (at_rest(move)) continue;
      move.destination_down |= move.destination == victim;
      move.memories_lost += (move.origin == victim) + (move.arbiter == victim) + (move.destination == victim);
      if (move.memories_lost > 1)
        for (const std::size_t party : move.parties) connections_[party / 2].may_break = true;
    }
    host(victim).power_off();
  }

  const Move* move_of(const End& end) const {
    for (auto& [id, move] : moves_)
      if (std::ranges::find(move.parties, end.party->number) != move.parties.end() && !at_rest(move))
        return &move;
    return nullptr;
  }
  static bool at_rest(const Move& move) {
    return move.told && (!move.error || move.error->code != ErrorCode::in_doubt);
  }

  void begin_move() {
    std::vector<std::shared_ptr<End>> candidates;
    for (const auto& end : kernels_.ends())
      if (end->state == End::State::live && end->owned && !end->reset && !end->held_up)
        candidates.push_back(end);
    if (candidates.empty()) return;
    const auto first = candidates[random_.below(candidates.size())];
    const int origin = first->host;
    if (!host(origin).daemon_runs()) return;
    std::vector<std::shared_ptr<End>> ends{first};
    for (const auto& end : candidates)
      if (end != first && end->host == origin && end->party->number / 2 != first->party->number / 2 &&
          !random_.one_in(4))
        ends.push_back(end);
    Move move;
    move.origin = origin;
    move.destination = any_host();
    move::OriginPlan plan;
    for (std::uint8_t& octet : plan.id.octets) octet = static_cast<std::uint8_t>(random_.next());
    plan.destination = host_name(move.destination);
    plan.receiver = "test";
    plan.state_bytes = random_.one_in(4) ? 100'000 : 0;
    plan.deadline = std::chrono::milliseconds(random_.one_in(3) ? 1000 : 10'000);
    for (const auto& end : ends) {
      plan.ends.push_back({.tuple = end->tuple,
                           .family = AF_INET,
                           .peer = host_name(Kernels::host_of(end->tuple.remote.address)),
                           .remote = end->tuple.remote});
      move.parties.push_back(end->party->number);
      if (dead_receivers_.contains(move.destination)) connections_[end->party->number / 2].may_break = true;
    }
    move.arbiter = Kernels::host_of(ends.front()->tuple.remote.address);
    const move::MoveId id = plan.id;
    if (witness_.history) {
      std::string what =
          fmt::format("move {:02x}: {} to {}, of", id.octets[0], host_name(origin), plan.destination);
      for (const auto& end : plan.ends) what += fmt::format(" {} (peer {})", end.tuple.text(), end.peer);
      note(what);
    }
    moves_[id] = std::move(move);
    if (!host(origin).begin(std::move(plan), std::move(ends))) moves_.erase(id);
  }

  void stir() {
    for (std::uint64_t left = random_.below(4); left > 0; --left)
      kernels_.stir(settings_.faults && random_.one_in(3));
  }

  // ---- the judge ----
  void judge_reset(const End& sender) {
    if (!connections_[sender.party->number / 2].may_break)
      violate(fmt::format("{}: a segment was answered by a reset", sender.tuple.text()));
  }

  void check() {
    if (kernels_.wrong()) return violate(*kernels_.wrong());
    std::array<int, 6> owners{};
    for (const auto& end : kernels_.ends()) {
      if (end->party == nullptr) continue;
      if (end->state == End::State::live && end->owned && ++owners[end->party->number] > 1)
        return violate(fmt::format("{}: two live owners", end->tuple.text()));
      if (end->state == End::State::frozen && end->staying && !end->held_up && end->owned &&
          end->paused_until)
        return violate(fmt::format("{}: its program runs while it is frozen", end->tuple.text()));
      if (end->held_up && end->paused_until && clock_.now().count() > *end->paused_until + 1)
        return violate(fmt::format("{}: its program stands still for too long", end->tuple.text()));
    }
  }

  void judge_end() {
    for (const auto& host : hosts_)
      if (!host->at_rest()) return violate("not settled:" + host->unfinished());
    for (const auto& end : kernels_.ends())
      if (end->state != End::State::live || end->held_up)
        return violate(fmt::format("{}: left behind, not live", end->tuple.text()));
    kernels_.drain();
    for (std::size_t c = 0; c < connections_.size(); ++c) judge_connection(c);
    for (auto& [id, move] : moves_) judge_move(move);
  }

  const End* live_end(std::size_t party) const {
    for (const auto& end : kernels_.ends())
      if (end->party->number == party && end->owned) return end.get();
    return nullptr;
  }

  void judge_connection(std::size_t c) {
    const End* a = live_end(2 * c);
    const End* b = live_end(2 * c + 1);
    const bool whole =
        a != nullptr && b != nullptr && a->tuple == b->tuple.flipped() && !a->reset && !b->reset;
    if (!whole) {
      ++outcome_.broken;
      if (!connections_[c].may_break) violate(fmt::format("connection {} is broken", c));
      return;
    }
    for (const auto& [reader, writer] : {std::pair(a, b), std::pair(b, a)})
      if (reader->party->read != writer->party->written)
        violate(fmt::format("connection {}: {} bytes were written, {} read", c, writer->party->written,
                            reader->party->read));
  }

  void judge_move(const Move& move) {
    if (!move.told) return;  // its daemon was killed meanwhile
    if (!move.error) ++outcome_.moved;
    if (move.error && move.error->code != ErrorCode::in_doubt && move.error->code != ErrorCode::lost)
      ++outcome_.undone;
    const bool told_moved = !move.error;
    const bool told_undone =
        move.error && move.error->code != ErrorCode::in_doubt && move.error->code != ErrorCode::lost;
    if (told_moved && !move.committed && !may_any_break(move))
      violate("told as moved, and it wasn't committed");
    if (told_undone && move.committed && !may_any_break(move))
      violate("told as undone, and it was committed");
    // An end may have gone on from a destination that goes down before it confirms the first move: nobody is
    // left who could tell this origin.
    if (move.error && move.error->code == ErrorCode::lost && !may_any_break(move) && !move.destination_down)
      violate("told as lost without need");
  }
  bool may_any_break(const Move& move) const {
    return std::ranges::any_of(move.parties, [&](std::size_t p) { return connections_[p / 2].may_break; });
  }

  Settings settings_;
  Random random_;
  Clock clock_;
  int count_ = 0;
  Kernels kernels_;
  Outcome outcome_;
  Witness witness_;
  std::optional<Network> network_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<Connection> connections_;
  std::map<move::MoveId, Move> moves_;
  std::set<int> dead_receivers_;
  Time calm_{0};  // from then on the streams are left alone
};

}  // namespace

Outcome run(const Settings& settings) { return World(settings).run(); }

}  // namespace sockswap::simulation
