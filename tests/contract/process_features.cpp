// What src/check says, with every right and with none, and that it leaves nothing behind.
#include <dirent.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "check/features.h"
#include "check/lacking.h"

namespace sockswap::check {
namespace {

int open_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  int count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

const Feature* named(const std::vector<Feature>& features, const std::string& name) {
  const auto hit =
      std::find_if(features.begin(), features.end(), [&](const Feature& f) { return f.name == name; });
  return hit == features.end() ? nullptr : &*hit;
}

TEST(Features, EveryRequiredOneIsHere) {
  if (!has_capability(CAP_NET_ADMIN) || !has_capability(CAP_SYS_PTRACE))
    GTEST_SKIP() << "needs CAP_NET_ADMIN and CAP_SYS_PTRACE";
  for (const Feature& feature : probe_features()) {
    EXPECT_TRUE(feature.available || !feature.required) << feature.name << ": " << feature.reason;
    EXPECT_EQ(feature.available, feature.reason.empty()) << feature.name;
  }
}

TEST(Features, NothingIsLeftBehind) {
  const int before = open_descriptors();
  probe_features();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

// Negative control: a probe that always says yes would fail here.
TEST(Features, WithoutRightsTheMissingOneIsNamed) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root to give up rights";
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    const auto features = probe_features();
    for (const auto& [name, right] : {std::pair{"tcp-repair", "CAP_NET_ADMIN"},
                                      {"silent-disconnect", "CAP_NET_ADMIN"},
                                      {"sndbufforce", "CAP_NET_ADMIN"},
                                      {"ptrace-pause", "CAP_SYS_PTRACE"},
                                      {"eintr-cure", "CAP_SYS_PTRACE"},
                                      {"pidfd-getfd", "CAP_SYS_PTRACE"},
                                      {"namespaces", "CAP_SYS_ADMIN"},
                                      {"bpf-sock-ops", "CAP_BPF"}}) {
      const Feature* feature = named(features, name);
      if (feature == nullptr || feature->available || feature->hint.find(right) == std::string::npos)
        ::_exit(2);
    }
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sockswap::check
