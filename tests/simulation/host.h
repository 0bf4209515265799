// One host: its daemon, which performs what the machines of src/move ask for as src/daemon does, its journal,
// and its keeper. The daemon ends at any instant; the journal and the keeper stay until the power goes.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "keeper.h"
#include "move/destination.h"
#include "move/dispatch.h"
#include "move/origin.h"
#include "move/peer.h"
#include "network.h"

namespace sockswap::simulation {

// What a host tells the world; the world judges.
struct Witness {
  std::function<void(const std::string& line)> history;  // null if nobody reads it
  std::function<void(const move::MoveId& id)> arbiter_swapped;
  std::function<void(const move::MoveId& id, const std::optional<Error>& error)> concluded;
  std::function<bool(int host)> receiver_lives;
};

class Host {
 public:
  Host(int number, Clock& clock, Random& random, Kernels& kernels, Network& network, Mutant mutant,
       Witness& witness);

  // A program asks for a move. False if it is refused here and now.
  bool begin(move::OriginPlan plan, std::vector<std::shared_ptr<End>> ends);

  void deliver(const Letter& letter);
  void lost(int there);

  void kill_daemon();  // SIGKILL: also in the midst of a record
  // That many actions from now, whatever they are.
  void doom(int actions, std::function<void()> kill) { doomed_in_ = actions, on_doom_ = std::move(kill); }
  void start_daemon();  // again
  void power_off();
  void power_on();
  bool daemon_runs() const { return daemon_runs_; }
  bool powered() const { return powered_; }
  void fill_disk(bool full) { disk_full_ = full; }

  // Nothing is under way, but what an arbiter remembers of moves that it has undone.
  bool at_rest() const;
  std::string unfinished() const;
  Keeper& keeper() { return keeper_; }

 private:
  template <class Machine>
  struct Part {
    Machine machine;
    std::deque<typename Machine::Action> queue = {};
    bool running = false, finished = false;
    std::uint64_t timer = 0;
    std::set<FourTuple> locked = {};
    std::vector<std::shared_ptr<End>> ends = {};   // origin: the moving ends
    std::vector<socket::Image> images = {};        // origin
    std::vector<Bytes> in_flight = {};             // origin
    std::vector<std::uint32_t> indexes = {};       // peer
    std::vector<std::shared_ptr<End>> found = {};  // peer
    const Letter* letter = nullptr;                // being worked on
    explicit Part(Machine m) : machine(std::move(m)) {}
  };
  using OriginPart = Part<move::Origin>;
  using DestinationPart = Part<move::Destination>;
  using PeerPart = Part<move::Peer>;
  template <class P>
  using Table = std::map<move::MoveId, std::shared_ptr<P>>;

  template <class P, class Actions>
  void run(const move::MoveId& id, Table<P>& table, const std::shared_ptr<P>& part, Actions actions);
  template <class P>
  std::shared_ptr<P> add(const move::MoveId& id, Table<P>& table, std::shared_ptr<P> part);
  template <class P>
  void end_part(Table<P>& table, const move::MoveId& id, P& part);
  template <class P>
  void restore(Table<P>& table, const move::MoveId& id, const move::Records& records);

  // What all roles ask for; true if it was one of these.
  template <class P, class Action>
  bool common(const move::MoveId& id, Table<P>& table, const std::shared_ptr<P>& part, Action& action);
  void perform(const move::MoveId& id, const std::shared_ptr<OriginPart>& part, move::Origin::Action& action);
  void perform(const move::MoveId& id, const std::shared_ptr<DestinationPart>& part,
               move::Destination::Action& action);
  void perform(const move::MoveId& id, const std::shared_ptr<PeerPart>& part, move::Peer::Action& action);

  // mutants.cpp: what is done instead, if this host is a mutant.
  template <class P>
  void mutate_sending(const move::MoveId& id, const P& part, const wire::Message& message);
  template <class P>
  auto mutated_timer(P& part) -> decltype(part.machine.on_timer());
  template <class P>
  auto mutated_message(const move::MoveId& id, P& part, const std::string& from, const wire::Message& message)
      -> decltype(part.machine.on_timer());
  template <class P>
  auto mutated_loss(P& part, const std::string& host) -> decltype(part.machine.on_timer());

  void send(const std::string& to, wire::Message message, std::vector<Bytes> attachments = {});
  bool write(const move::action::Write& what);
  bool omitted(const move::JournalRecord& record) const;
  bool lock(std::set<FourTuple>& mine, const FourTuple& tuple);
  void forget();
  void note(const move::MoveId& id, const char* role, const std::string& what) const;
  std::string boot() const;

  int number_;
  std::string name_;
  Clock& clock_;
  Random& random_;
  Kernels& kernels_;
  Network& network_;
  Mutant mutant_;
  Witness& witness_;
  Keeper keeper_;
  int boots_ = 0;
  Bytes journal_;
  bool powered_ = true, daemon_runs_ = true, disk_full_ = false;
  int doomed_in_ = 0;
  std::function<void()> on_doom_;
  std::uint64_t life_ = 0;  // of the daemon: what an earlier one had set going is void
  std::set<FourTuple> locks_;
  Table<OriginPart> origins_;
  Table<DestinationPart> destinations_;
  Table<PeerPart> peers_;
  std::set<move::PartKey> over_;    // parts that have been, in this life
  std::set<move::MoveId> dropped_;  // as their destination, likewise
};

// "alpha", "beta", …
std::string host_name(int number);
int host_number(const std::string& name);

}  // namespace sockswap::simulation
