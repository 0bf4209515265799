// The daemon's life, and what all roles have in common.
#include "host.h"

#include <fmt/format.h>

#include "host_parts.h"
#include "mutants.h"

namespace sockswap::simulation {

std::string host_name(int number) {
  static const std::string names[] = {"alpha", "beta", "gamma", "delta", "epsilon"};
  return names[number];
}

int host_number(const std::string& name) { return std::string("abgde").find(name.front()); }

Host::Host(int number, Clock& clock, Random& random, Kernels& kernels, Network& network, Mutant mutant,
           Witness& witness)
    : number_(number),
      name_(host_name(number)),
      clock_(clock),
      random_(random),
      kernels_(kernels),
      network_(network),
      mutant_(mutant),
      witness_(witness),
      keeper_(clock, kernels, number, mutant),
      journal_(move::journal_header(boot(), 1)) {}

std::string Host::boot() const { return fmt::format("{:036}", boots_); }

void Host::note(const move::MoveId& id, const char* role, const std::string& what) const {
  if (witness_.history)
    witness_.history(
        fmt::format("{:>12} {} {} of {:02x}: {}", clock_.now().count(), name_, role, id.octets[0], what));
}

bool Host::lock(std::set<FourTuple>& mine, const FourTuple& tuple) {
  if (!locks_.insert(tuple).second) return false;
  mine.insert(tuple);
  return true;
}

void Host::send(const std::string& to, wire::Message message, std::vector<Bytes> attachments) {
  network_.send({number_, host_number(to), std::move(message), std::move(attachments)});
}

bool Host::omitted(const move::JournalRecord& record) const {
  switch (mutant_) {
    case Mutant::origin_decides_unwritten: return record.has_origin_deciding();
    case Mutant::ready_unwritten: return record.has_destination_ready();
    case Mutant::live_unwritten: return record.has_destination_live() || record.has_destination_handed_over();
    case Mutant::held_unwritten: return record.has_peer_held();
    case Mutant::swapping_unwritten: return record.has_peer_swapping() || record.has_peer_swapped();
    default: return false;
  }
}

// A full disk still has the room that is kept free for the end of what has begun.
bool Host::write(const move::action::Write& what) {
  if (omitted(what.record)) return true;
  if (disk_full_ && what.needed) return false;
  move::append(journal_, what.record);
  return true;
}

bool Host::begin(move::OriginPlan plan, std::vector<std::shared_ptr<End>> ends) {
  const move::MoveId id = plan.id;
  auto part = std::make_shared<OriginPart>(move::Origin(std::move(plan)));
  for (const move::OriginPlan::End& end : part->machine.plan().ends)
    if (!lock(part->locked, end.tuple)) {
      for (const FourTuple& tuple : part->locked) locks_.erase(tuple);
      return false;
    }
  part->ends = std::move(ends);
  add(id, origins_, part);
  run(id, origins_, part, part->machine.start());
  return true;
}

void Host::deliver(const Letter& letter) {
  const auto id = move::MoveId::from_bytes(letter.message.move_id());
  const std::string from = host_name(letter.from);
  const move::Parts here{.origin = origins_.contains(*id),
                         .destination = destinations_.contains(*id),
                         .peer = peers_.contains(*id)};
  const move::Dispatch dispatch = move::dispatch(letter.message, here, dropped_.contains(*id), name_);
  if (witness_.history) note(*id, "hears", fmt::format("{} from {}", body_name(letter.message), from));
  for (const wire::Message& answer : dispatch.answers) send(from, answer);
  if (dispatch.begins.destination && !over_.contains({*id, wire::DESTINATION})) {
    auto part = add(*id, destinations_,
                    std::make_shared<DestinationPart>(move::Destination(*id, from, letter.message.offer())));
    run(*id, destinations_, part, part->machine.start());
  }
  if (dispatch.begins.peer && !over_.contains({*id, wire::PEER})) {
    auto part =
        add(*id, peers_, std::make_shared<PeerPart>(move::Peer(*id, name_, from, letter.message.find())));
    run(*id, peers_, part, part->machine.start());
  }
  const auto bring = [&](auto& table) {
    const auto found = table.find(*id);
    if (found == table.end()) return;
    const auto part = found->second;
    part->letter = &letter;
    run(*id, table, part, mutated_message(*id, *part, from, letter.message));
    part->letter = nullptr;
  };
  if (dispatch.to.origin) bring(origins_);
  if (dispatch.to.destination) bring(destinations_);
  if (dispatch.to.peer) bring(peers_);
}

void Host::lost(int there) {
  const std::string host = host_name(there);
  if (witness_.history)
    witness_.history(fmt::format("{:>12} {} has lost {}", clock_.now().count(), name_, host));
  const auto tell = [&](auto& table) {
    auto copy = table;  // some may end meanwhile
    for (auto& [id, part] : copy)
      if (!part->finished) run(id, table, part, mutated_loss(*part, host));
  };
  tell(origins_);
  tell(destinations_);
  tell(peers_);
}

// What is in memory alone.
void Host::forget() {
  origins_.clear();
  destinations_.clear();
  peers_.clear();
  locks_.clear();
  over_.clear();
  dropped_.clear();
}

void Host::kill_daemon() {
  if (!daemon_runs_) return;
  if (witness_.history)
    witness_.history(fmt::format("{:>12} {}: its daemon is killed", clock_.now().count(), name_));
  daemon_runs_ = false;
  ++life_;
  // In the midst of a record that it was writing: what was to follow it hasn't happened.
  if (random_.one_in(3)) {
    move::JournalRecord record;
    record.set_move_id(std::string(16, '\x55'));
    record.mutable_peer_swapping();
    if (mutant_ == Mutant::torn_record_believed && !peers_.empty()) {
      record.set_move_id(peers_.begin()->first.bytes());
      record.mutable_peer_finished();
    }
    Bytes whole;
    move::append(whole, record);
    if (mutant_ != Mutant::torn_record_believed) whole.resize(random_.below(whole.size()));
    journal_.insert(journal_.end(), whole.begin(), whole.end());
  }
  forget();
  network_.break_sessions(number_, false);
}

void Host::power_off() {
  if (!powered_) return;
  if (witness_.history)
    witness_.history(fmt::format("{:>12} {}: its power goes", clock_.now().count(), name_));
  daemon_runs_ = powered_ = false;
  ++life_;
  ++boots_;
  forget();
  // Nothing was synced: any part of the end may be gone.
  journal_.resize(journal_.size() - random_.below(journal_.size() + 1));
  keeper_.power_off();
  kernels_.power_off(number_);
  network_.break_sessions(number_, true);
}

void Host::power_on() {
  powered_ = true;
  kernels_.power_on(number_);
  start_daemon();
}

template <class P>
void Host::restore(Table<P>& table, const move::MoveId& id, const move::Records& records) {
  std::optional<decltype(P::machine)> machine;
  if constexpr (std::is_same_v<P, PeerPart>)
    machine = decltype(P::machine)::restore(name_, records);
  else
    machine = decltype(P::machine)::restore(records);
  if (!machine) return;
  auto part = add(id, table, std::make_shared<P>(*std::move(machine)));
  note(id, role_name(*part), fmt::format("is {} again", name(part->machine.state())));
  run(id, table, part, part->machine.resume());
}

void Host::start_daemon() {
  if (daemon_runs_ || !powered_) return;
  if (witness_.history)
    witness_.history(fmt::format("{:>12} {}: its daemon starts", clock_.now().count(), name_));
  daemon_runs_ = true;
  auto replayed = move::replay(journal_, boot());
  if (!replayed && mutant_ == Mutant::journal_of_another_boot)
    for (int boot = 0; boot < boots_ && !replayed; ++boot)
      replayed = move::replay(journal_, fmt::format("{:036}", boot));
  if (!replayed) {
    journal_ = move::journal_header(boot(), 1);
    return;
  }
  journal_.resize(replayed->whole);
  keeper_.undo_all_but(replayed->open);
  dropped_ = replayed->dropped;
  const std::uint64_t life = life_;
  for (const auto& [key, records] : replayed->open) {
    if (life != life_) return;  // it was killed once more
    const auto& [id, role] = key;
    if (role == wire::ORIGIN) restore(origins_, id, records);
    if (role == wire::DESTINATION) restore(destinations_, id, records);
    if (role == wire::PEER) restore(peers_, id, records);
  }
}

bool Host::at_rest() const {
  if (!origins_.empty() || !destinations_.empty() || !keeper_.empty()) return false;
  for (const auto& [id, part] : peers_)
    if (part->machine.state() != move::Peer::State::undone) return false;
  return true;
}

std::string Host::unfinished() const {
  std::string out;
  for (const auto& [id, part] : origins_)
    out += fmt::format(" {} origin {:02x} {}", name_, id.octets[0], name(part->machine.state()));
  for (const auto& [id, part] : destinations_)
    out += fmt::format(" {} destination {:02x} {}", name_, id.octets[0], name(part->machine.state()));
  for (const auto& [id, part] : peers_)
    out += fmt::format(" {} peer {:02x} {}", name_, id.octets[0], name(part->machine.state()));
  if (!keeper_.empty()) out += " " + name_ + "'s keeper";
  return out;
}

}  // namespace sockswap::simulation
