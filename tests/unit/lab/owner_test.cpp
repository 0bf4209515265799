// Whatever ends a lab's owner, nothing of the lab is left.
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

std::set<std::string> interfaces() {
  std::set<std::string> names;
  struct if_nameindex* const all = ::if_nameindex();
  for (auto* at = all; at != nullptr && at->if_index != 0; ++at) names.insert(at->if_name);
  ::if_freenameindex(all);
  return names;
}

std::string mounts() {
  std::ifstream file("/proc/self/mounts");
  return {std::istreambuf_iterator<char>(file), {}};
}

// Network, mount, PID and UTS namespaces in which any thread on the machine lives.
std::set<std::string> namespaces() {
  std::set<std::string> found;
  std::error_code ignored;
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    for (const auto& thread : std::filesystem::directory_iterator(process.path() / "task", ignored))
      for (const char* kind : {"net", "mnt", "pid", "uts"}) {
        const auto name = std::filesystem::read_symlink(thread.path() / "ns" / kind, ignored);
        if (!ignored) found.insert(name);
      }
  }
  return found;
}

std::set<std::string> only_in(const std::set<std::string>& now, const std::set<std::string>& before) {
  std::set<std::string> added;
  std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                      std::inserter(added, added.end()));
  return added;
}

// Lives until it is killed; writes the lab's PIDs and a final newline to `to`.
[[noreturn]] void own_a_lab(int to) {
  LabOptions options = hosts_named({"alpha", "beta"}, Topology::routed);
  options.hosts[0].link.delay = std::chrono::milliseconds(1);
  auto lab = Lab::create(options);
  if (!lab) ::_exit(1);
  std::vector<Process> programs;
  std::string pids;
  for (const auto& host : lab->hosts()) {
    auto program = host->spawn({.argv = {"sh", "-c", "trap '' TERM HUP; (setsid sleep 1000 &); sleep 1000"}});
    if (!program) ::_exit(1);
    pids += std::to_string(host->init_pid()) + " " + std::to_string(program->pid()) + " ";
    programs.push_back(std::move(*program));
  }
  pids += "\n";
  (void)!::write(to, pids.data(), pids.size());
  for (;;) ::pause();
}

TEST(Owner, killed_leaves_nothing) {
  SKIP_WITHOUT_ROOT();
  // Orphans come to this process, wherever the machine's PID 1 would have left them.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const auto interfaces_before = interfaces();
  const auto mounts_before = mounts();
  const auto namespaces_before = namespaces();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t owner = ::fork();
  if (owner == 0) own_a_lab(writing.get());
  writing.reset();

  std::string line;
  for (char next = 0; ::read(reading.get(), &next, 1) == 1 && next != '\n';) line += next;
  std::istringstream words(line);
  const std::vector<pid_t> pids(std::istream_iterator<pid_t>(words), {});
  ASSERT_EQ(pids.size(), 4u);
  EXPECT_EQ(interfaces(), interfaces_before) << "nothing may appear in the machine's network";
  EXPECT_EQ(mounts(), mounts_before);
  std::set<std::string> of_lab;
  for (const pid_t pid : pids)
    for (const char* kind : {"net", "mnt", "pid"})
      of_lab.insert(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/" + kind));
  EXPECT_EQ(of_lab.size(), 6u) << "two hosts, each with a network, mounts and PIDs of its own";

  ASSERT_EQ(::kill(owner, SIGKILL), 0);
  // The kernel takes a moment; ten seconds are for a machine that swaps.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::set<std::string> left;
  do {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    left = only_in(of_lab, only_in(of_lab, namespaces()));
  } while (!left.empty() && std::chrono::steady_clock::now() < until);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  EXPECT_EQ(left, std::set<std::string>{});
  for (const pid_t pid : pids) EXPECT_EQ(::kill(pid, 0), -1) << pid;
  EXPECT_EQ(interfaces(), interfaces_before);
  EXPECT_EQ(mounts(), mounts_before);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(Owner, a_lab_that_ends_leaves_nothing) {
  SKIP_WITHOUT_ROOT();
  const auto mounts_before = mounts();
  const auto interfaces_before = interfaces();
  std::vector<pid_t> inits;
  {
    ASSERT_VALUE(Lab lab, Lab::create(hosts_named({"alpha", "beta"})));
    ASSERT_VALUE(Process program, lab.host("alpha").spawn({.argv = {"sleep", "1000"}}));
    for (const auto& host : lab.hosts()) inits.push_back(host->init_pid());
    // Still held here when the lab goes.
    inits.push_back(program.pid());
    const Lab gone = std::move(lab);
  }
  for (const pid_t pid : inits) EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(mounts(), mounts_before);
  EXPECT_EQ(interfaces(), interfaces_before);
}

// A lab made on a thread that ends goes on: PID 1 watches the process, not the thread.
TEST(Owner, may_make_the_lab_on_a_thread_that_ends) {
  SKIP_WITHOUT_ROOT();
  std::optional<Lab> lab;
  std::thread([&] {
    auto made = Lab::create(hosts_named({"alpha"}));
    if (made) lab.emplace(std::move(*made));
  }).join();
  ASSERT_TRUE(lab);
  EXPECT_TRUE(lab->host("alpha").run({"true"})->status.ok());
}

}  // namespace
}  // namespace sockswap::lab::test
