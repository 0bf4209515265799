// Which addresses are this host's, and which are another's of the cluster: the keeper's own reading of
// hosts.toml, so that nobody who speaks for the daemon can have ends led to other places.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "base/endpoint.h"
#include "base/result.h"
#include "cluster/host_table.h"

namespace sockswap::keeper {

class HostAddresses {
 public:
  // `config`: the folder with hosts.toml, and cert.pem, which has this host's name.
  static Result<HostAddresses> load(const std::filesystem::path& config);

  // May an end live between these two? `local` is this host's, `remote` a host's of the cluster; both are
  // loopback addresses, or neither is. Read hosts.toml again if it has changed. not_permitted.
  Result<> check_pair(const Address& local, const Address& remote);
  // The same where `local` is known to be this host's: an end lives there.
  Result<> check_remote(const Address& local, const Address& remote);

  // Takes over the file as it is now, and returns it; one that can't be read leaves the table as it was.
  Result<std::string> reload();

 private:
  void refresh();

  std::filesystem::path file_;
  std::string self_;
  cluster::HostTable table_;
  struct stat read_ {};  // of the file when it was read last
};

}  // namespace sockswap::keeper
