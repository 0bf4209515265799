// sockswapd or its keeper has no room for further descriptors: a move is refused or undone, by name, with any
// number of them left; and made when there are enough.
#include <filesystem>
#include <fstream>
#include <set>

#include "lab/process.h"
#include "scene.h"

namespace sockswap::test {
namespace {

namespace fs = std::filesystem;

struct Who {
  const char *role, *program;
  bool needs_some;  // to make a move
};

class FewDescriptors : public Misbehaving, public ::testing::WithParamInterface<Who> {
 protected:
  // While it lives that process can open no more than `left`.
  class Limit {
   public:
    Limit(pid_t pid, int left) : pid_(pid) {
      std::set<int> open;
      for (const auto& each : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
        open.insert(std::stoi(each.path().filename()));
      int limit = 0;
      for (; left > 0 || open.contains(limit); ++limit) left -= !open.contains(limit);
      before_ = number("limits", "Max open files");
      set(limit);
    }
    ~Limit() { set(before_); }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;

   private:
    // The first number of that line of /proc/PID/FILE.
    int number(const char* file, const std::string& line_of) const {
      std::ifstream lines("/proc/" + std::to_string(pid_) + "/" + file);
      for (std::string line; std::getline(lines, line);)
        if (line.starts_with(line_of)) return std::stoi(line.substr(line_of.size()));
      throw std::runtime_error("no " + line_of);
    }
    // As its own user: root may lack CAP_SYS_RESOURCE.
    void set(int soft) const {
      const auto user = static_cast<uid_t>(number("status", "Uid:"));
      const auto group = static_cast<gid_t>(number("status", "Gid:"));
      auto prlimit = lab::Process::spawn(
          {.argv = {"prlimit", "--pid", std::to_string(pid_), "--nofile=" + std::to_string(soft) + ":"},
           .user = lab::User{user, group}});
      ASSERT_TRUE(prlimit);
      EXPECT_TRUE(prlimit->wait()->ok());
      EXPECT_EQ(number("limits", "Max open files"), soft);
    }

    pid_t pid_;
    int before_ = 0;
  };
};

TEST_P(FewDescriptors, RefuseAMoveByName) {
  const auto& [role, program, needs_some] = GetParam();
  begin({});
  const pid_t pid = std::string(program) == "keeper" ? keeper(role) : daemon(role);
  int left = 0;
  for (;; ++left) {
    ASSERT_LT(left, 20);
    const Limit limit(pid, left);
    go();
    const std::string told = await_outcome();
    if (told == "moved") break;
    EXPECT_TRUE(told.starts_with("undone no-resources: ")) << "with " << left << ": " << told;
    if (!told.starts_with("undone")) return;
  }
  EXPECT_EQ(left > 0, needs_some);
  await_word(talk().receiving, "arrived");
  expect_whole(talk().receiving);
  expect_settled();
  expect_another_move();
}
INSTANTIATE_TEST_SUITE_P(At, FewDescriptors,
                         ::testing::Values(Who{"origin", "daemon", true}, Who{"origin", "keeper", true},
                                           Who{"destination", "daemon", true},
                                           Who{"destination", "keeper", true}, Who{"peer", "daemon", false},
                                           Who{"peer", "keeper", true}),
                         [](const auto& of) { return std::string(of.param.role) + "s_" + of.param.program; });

}  // namespace
}  // namespace sockswap::test
