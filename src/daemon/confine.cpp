#include "daemon/confine.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/log.h"

namespace sockswap::daemon {
namespace {

struct User {
  uid_t uid;
  gid_t gid;
};

std::optional<User> find_user(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return User{entry->pw_uid, entry->pw_gid};
}

Result<User> choose_user(const std::string& name) {
  const auto user = name.empty() ? find_user("sockswap") : find_user(name);
  if (user) return *user;
  if (!name.empty()) return failure(ErrorCode::usage, fmt::format("there is no user '{}'", name));
  const auto nobody = find_user("nobody");
  if (!nobody)
    return failure(ErrorCode::usage, "there is neither a user 'sockswap' nor one 'nobody'",
                   "--user says whom to become");
  return *nobody;
}

// What no program that this one could become might have either.
Result<> empty_bounding_set() {
  for (unsigned long capability = 0;; ++capability) {
    if (::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0) return {};  // the kernel has no more
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      return system_failure(errno, "empty the capability bounding set (CAP_SETPCAP)", ErrorCode::unsupported);
  }
}

Result<> become(const User& user) {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user.gid, user.gid, user.gid) != 0 ||
      ::setresuid(user.uid, user.uid, user.uid) != 0)
    return system_failure(errno, fmt::format("become user {} (CAP_SETUID, CAP_SETGID)", user.uid),
                          ErrorCode::unsupported);
  if (::setresuid(0, 0, 0) == 0) return failure(ErrorCode::internal, "root's rights could be had again");
  return {};
}

Result<> drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return system_failure(errno, "drop all capabilities");
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
    return system_failure(errno, "drop ambient capabilities");
  return {};
}

}  // namespace

Result<> give_up_rights(const std::string& user_name) {
  if (::geteuid() == 0) {
    SOCKSWAP_TRY(const User user, choose_user(user_name));
    SOCKSWAP_CHECK(empty_bounding_set());
    SOCKSWAP_CHECK(become(user));
  }
  SOCKSWAP_CHECK(drop_capabilities());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_failure(errno, "PR_SET_NO_NEW_PRIVS");
#ifdef SOCKSWAP_SANITIZED
  log::warn("built with a sanitizer, which makes system calls of its own: all are let through");
  return {};
#else
  return allow_few_system_calls();
#endif
}

}  // namespace sockswap::daemon
