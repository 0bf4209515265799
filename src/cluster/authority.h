// A cluster's certificate authority: a folder on the machine of whoever runs the cluster.
//
//   DIR/ca-key.pem   the secret that makes a host a member; mode 0600; never leaves this folder
//   DIR/ca.pem       what every host trusts
//   DIR/hosts.toml   every host so far
//   DIR/NAME/        what host NAME needs and nothing more: ca.pem, cert.pem, key.pem (0600), hosts.toml
//
// Files appear whole or not at all, and none is ever overwritten but hosts.toml.
#pragma once

#include <chrono>
#include <filesystem>

#include "base/result.h"
#include "cluster/host_table.h"

namespace sockswap::cluster {

// The hosts' own clocks decide; an hour is allowed for those that are slow.
struct Validity {
  std::chrono::system_clock::time_point from = std::chrono::system_clock::now() - std::chrono::hours(1);
  std::chrono::system_clock::time_point until = std::chrono::system_clock::now() + std::chrono::years(10);
};

// Makes DIR if needed, and in it an authority that is valid for twenty years and an empty hosts.toml.
// Refuses if there is an authority already.
Result<> make_cluster(const std::filesystem::path& folder);

// Makes DIR/NAME, then brings the hosts.toml of the cluster and of every bundle up to date. A failure in
// that last part leaves the host a member; the error says which copy of hosts.toml is old.
Result<> add_host(const std::filesystem::path& folder, const Host& host, const Validity& validity = {});

}  // namespace sockswap::cluster
