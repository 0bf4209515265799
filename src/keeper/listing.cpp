#include "keeper/listing.h"

#include "keeper/holders.h"
#include "process/pause.h"
#include "process/sock_diag.h"
#include "wire/endpoints.h"

namespace sockswap::keeper {
namespace {

void add(const process::SocketEntry& entry, const std::vector<process::Holder>& holders,
         process::PausableProcesses& processes, wire::keeper::Connections& list) {
  auto& out = *list.add_connections();
  wire::to_message(entry.tuple, *out.mutable_tuple());
  out.set_state(entry.state);
  out.set_uid(entry.uid);
  out.set_receive_queue(entry.receive_queue);
  out.set_send_queue(entry.send_queue);
  out.set_has_md5_key(entry.has_md5_key);
  for (const process::Holder& holder : holders) {
    auto& process = *out.add_holders();
    process.set_pid(holder.pid);
    process.set_uid(holder.uid);
    process.set_command(holder.command);
    for (const int descriptor : holder.descriptors) process.add_descriptors(descriptor);
  }
  if (auto pausable = processes.check(holders); !pausable) out.set_not_pausable(pausable.error().message);
}

}  // namespace

Result<Answer> list_connections(const Environment& environment,
                                const wire::keeper::ListConnections& request) {
  Answer answer;
  wire::keeper::Connections& list = *answer.reply.mutable_connections();
  process::PausableProcesses processes;
  if (request.has_tuple()) {
    SOCKSWAP_TRY(const FourTuple tuple, wire::from_message(request.tuple()));
    SOCKSWAP_TRY(const auto entry, process::find_connection(tuple));
    if (!entry) return answer;
    SOCKSWAP_TRY(const process::Holders holders, holders_of(environment, std::span(&entry->inode, 1)));
    add(*entry, holders.at(entry->inode), processes, list);
    return answer;
  }
  SOCKSWAP_TRY(const auto entries, process::list_connections());
  SOCKSWAP_TRY(process::Holders holders, process::all_holders());
  for (const process::SocketEntry& entry : entries) {
    auto& held_by = holders[entry.inode];
    const bool held = !held_by.empty();
    leave_out_ours(environment, held_by);
    if (held && held_by.empty()) continue;  // the daemon's own sessions, parked ends
    add(entry, held_by, processes, list);
  }
  return answer;
}

}  // namespace sockswap::keeper
