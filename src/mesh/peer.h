// What the mesh knows of one other host.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "mesh/dial.h"
#include "mesh/mesh.h"

namespace sockswap::mesh {

struct Mesh::Peer {
  std::string name;
  std::shared_ptr<Dial> dial;                      // TCP being connected
  std::shared_ptr<Session> greeting;               // dialled, not open yet
  std::vector<std::shared_ptr<Session>> sessions;  // open, oldest first: that one sends
  std::vector<Opened> openers;                     // to be told when a session opens, or can't be had
  Bytes waiting;                                   // frames for the first session to open
  std::vector<Address> covered;                    // by the certificate shown last
  std::optional<Error> last_error;
  std::optional<Error> loss;  // not reported yet; until then nothing more is sent

  bool connecting() const { return dial != nullptr || greeting != nullptr; }
};

}  // namespace sockswap::mesh
