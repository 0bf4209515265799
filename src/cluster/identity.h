// What a host shows to the others, and by what it knows them.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "cluster/openssl_handles.h"

namespace sockswap::cluster {

// Invariants: `key` belongs to `certificate`, which `authority` has signed and which bears `name`.
struct Identity {
  std::string name;
  X509Ptr certificate;
  KeyPtr key;
  X509Ptr authority;  // the only one this host trusts
};

// Reads ca.pem, cert.pem and key.pem. not_found: a file is missing; not_permitted: a certificate is
// expired, foreign, or not the key's; usage: a file isn't what its name says.
Result<Identity> load_identity(const std::filesystem::path& folder);

// The two kinds of PEM file; `file` is read whole.
Result<X509Ptr> load_certificate(const std::filesystem::path& file);
Result<KeyPtr> load_key(const std::filesystem::path& file);

}  // namespace sockswap::cluster
