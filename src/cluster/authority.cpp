#include "cluster/authority.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "cluster/files.h"
#include "cluster/identity.h"
#include "cluster/issue.h"

namespace sockswap::cluster {
namespace {

constexpr auto authority_lifetime = std::chrono::years(20);

// A half-made bundle: gone with its contents unless it has been published.
class Draft {
 public:
  static Result<Draft> in(const std::filesystem::path& folder) {
    std::string pattern = (folder / ".bundle.XXXXXX").native();
    if (::mkdtemp(pattern.data()) == nullptr) {
      const int error = errno;
      return system_failure(error, fmt::format("create a folder in {}", folder.native()));
    }
    return Draft(std::move(pattern));
  }
  Draft(Draft&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Draft& operator=(Draft&&) = delete;
  ~Draft() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  Result<> publish_as(const std::filesystem::path& target) {
    SOCKSWAP_CHECK(publish(path_, target));
    path_.clear();
    return {};
  }

 private:
  explicit Draft(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

Result<> write_bundle(const std::filesystem::path& bundle, const std::filesystem::path& cluster,
                      const Host& host, const HostTable& table, const Validity& validity) {
  SOCKSWAP_TRY(const X509Ptr authority, load_certificate(cluster / "ca.pem"));
  SOCKSWAP_TRY(const KeyPtr authority_key, load_key(cluster / "ca-key.pem"));
  SOCKSWAP_TRY(const KeyPtr key, make_key());
  SOCKSWAP_TRY(const X509Ptr certificate, issue(host, *key, validity, *authority, *authority_key));
  SOCKSWAP_TRY(const std::string authority_text, pem_of(*authority));
  SOCKSWAP_TRY(const std::string certificate_text, pem_of(*certificate));
  SOCKSWAP_TRY(const std::string key_text, pem_of(*key));
  SOCKSWAP_CHECK(write_file(bundle / "ca.pem", authority_text, public_mode, Existing::refuse));
  SOCKSWAP_CHECK(write_file(bundle / "cert.pem", certificate_text, public_mode, Existing::refuse));
  SOCKSWAP_CHECK(write_file(bundle / "key.pem", key_text, secret_mode, Existing::refuse));
  return table.save(bundle / "hosts.toml");
}

bool present(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

}  // namespace

Result<> make_cluster(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    const int error = errno;
    return system_failure(error, fmt::format("create {}", folder.native()));
  }
  for (const char* file : {"ca-key.pem", "ca.pem", "hosts.toml"})
    if (present(folder / file))
      return failure(ErrorCode::usage, fmt::format("{} holds a cluster already", folder.native()),
                     "add hosts to it, or choose another folder");
  const Validity validity{.from = std::chrono::system_clock::now() - std::chrono::hours(1),
                          .until = std::chrono::system_clock::now() + authority_lifetime};
  SOCKSWAP_TRY(const KeyPtr key, make_key());
  SOCKSWAP_TRY(const X509Ptr certificate, make_authority(*key, validity));
  SOCKSWAP_TRY(const std::string key_text, pem_of(*key));
  SOCKSWAP_TRY(const std::string certificate_text, pem_of(*certificate));
  // The key's name is the lock between two that run at once.
  SOCKSWAP_CHECK(write_file(folder / "ca-key.pem", key_text, secret_mode, Existing::refuse));
  SOCKSWAP_CHECK(write_file(folder / "ca.pem", certificate_text, public_mode, Existing::refuse));
  return write_file(folder / "hosts.toml", HostTable{}.text(), public_mode, Existing::refuse);
}

Result<> add_host(const std::filesystem::path& folder, const Host& host, const Validity& validity) {
  SOCKSWAP_TRY(HostTable table, HostTable::load(folder / "hosts.toml"));
  SOCKSWAP_CHECK(table.add(host));
  const std::filesystem::path bundle = folder / host.name;
  if (present(bundle))
    return failure(ErrorCode::usage,
                   fmt::format("{} exists, but {} is not in hosts.toml", bundle.native(), host.name),
                   "an earlier attempt was cut short: remove that folder and try again");
  SOCKSWAP_TRY(Draft draft, Draft::in(folder));
  SOCKSWAP_CHECK(write_bundle(draft.path(), folder, host, table, validity));
  SOCKSWAP_CHECK(draft.publish_as(bundle));
  SOCKSWAP_CHECK(table.save(folder / "hosts.toml"));
  for (const auto& [name, other] : table.hosts())
    if (name != host.name && present(folder / name)) SOCKSWAP_CHECK(table.save(folder / name / "hosts.toml"));
  return {};
}

}  // namespace sockswap::cluster
