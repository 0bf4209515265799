// What the parts of the daemon share. Everything here lives on the one event-loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <string>

#include "cluster/host_table.h"
#include "daemon/connection_locks.h"
#include "daemon/history.h"
#include "daemon/journal_file.h"
#include "daemon/receivers.h"
#include "keep/client.h"
#include "mesh/mesh.h"
#include "wire/parcel.h"

namespace sockswap::daemon {

using mesh::HostState;
using mesh::Incoming;
using mesh::Mesh;

// Ends of one move: an Arrival's descriptors travel in one SCM_RIGHTS message.
inline constexpr int most_ends = wire::Limits{}.descriptors;

struct Context {
  asio::io_context& io;
  const cluster::HostTable& hosts;
  std::string self;  // this host's name
  keep::Client& keeper;
  JournalFile& journal;
  Mesh& mesh;
  ConnectionLocks& locks;
  Receivers& receivers;
  History& history;
};

// Is the address one of that host's? A loopback address is this host's own.
inline bool owns(const Context& context, const std::string& host, const Address& address) {
  if (address.is_loopback()) return host == context.self;
  const cluster::Host* owner = context.hosts.host_of(address);
  return owner != nullptr && owner->name == host;
}

}  // namespace sockswap::daemon
