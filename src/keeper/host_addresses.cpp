#include "keeper/host_addresses.h"

#include <fmt/format.h>

#include "base/log.h"
#include "cluster/certificate.h"
#include "cluster/files.h"
#include "cluster/identity.h"

namespace sockswap::keeper {
namespace {

bool same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

Result<HostAddresses> HostAddresses::load(const std::filesystem::path& config) {
  HostAddresses addresses;
  SOCKSWAP_TRY(const cluster::X509Ptr certificate, cluster::load_certificate(config / "cert.pem"));
  SOCKSWAP_TRY(addresses.self_, cluster::name_of(*certificate));
  addresses.file_ = config / "hosts.toml";
  SOCKSWAP_CHECK(addresses.reload());
  return addresses;
}

Result<std::string> HostAddresses::reload() {
  struct stat now {};
  ::stat(file_.c_str(), &now);  // before it is read: a change in between is seen the next time
  SOCKSWAP_TRY(std::string text, cluster::read_file(file_));
  SOCKSWAP_TRY(cluster::HostTable table, cluster::HostTable::parse(text, file_.native()));
  if (table.find(self_) == nullptr)
    return failure(ErrorCode::unknown_host,
                   fmt::format("{} doesn't list this host, '{}'", file_.string(), self_));
  table_ = std::move(table);
  read_ = now;
  return text;
}

void HostAddresses::refresh() {
  struct stat now {};
  if (::stat(file_.c_str(), &now) != 0 || same(now, read_)) return;
  read_ = now;  // one that can't be read is complained about once
  if (auto reloaded = reload(); !reloaded)
    log::error("hosts.toml is not taken over: {}", reloaded.error().text());
}

Result<> HostAddresses::check_pair(const Address& local, const Address& remote) {
  refresh();
  if (local.is_loopback() && remote.is_loopback()) return {};
  const cluster::Host* here = table_.host_of(local);
  if (here == nullptr || here->name != self_)
    return failure(ErrorCode::not_permitted,
                   fmt::format("{} is not an address of {}, says the keeper", local.text(), self_),
                   "do all hosts have the same hosts.toml?");
  return check_remote(local, remote);
}

Result<> HostAddresses::check_remote(const Address& local, const Address& remote) {
  refresh();
  if (local.is_loopback() && remote.is_loopback()) return {};
  if (!local.is_loopback() && table_.host_of(remote) != nullptr) return {};
  return failure(ErrorCode::not_permitted,
                 fmt::format("{}-{} is not within the cluster, says the keeper", local.text(), remote.text()),
                 "do all hosts have the same hosts.toml?");
}

}  // namespace sockswap::keeper
