#include "lab/state_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sockswap::lab {
namespace {

class State : public testing::Test {
 protected:
  State() {
    std::string pattern = testing::TempDir() + "sockswap-lab-XXXXXX";
    path_ = std::string(::mkdtemp(pattern.data())) + "/state";
  }
  ~State() override { std::filesystem::remove_all(std::filesystem::path(path_).parent_path()); }
  StateFolder folder() const { return StateFolder(path_); }

  LabState state(const std::string& name) const {
    return {.name = name,
            .topology = "bridge",
            .owner = *ProcessName::of(::getpid()),
            .hosts = {
                {.name = "alpha", .v4 = "10.133.0.1", .v6 = "fd00:133::1", .init = {.pid = 7, .start = 8}}}};
  }

  std::string path_;
};

TEST_F(State, comes_back_as_it_was_saved) {
  ASSERT_TRUE(folder().save(state("one")));
  const auto loaded = folder().load("one");
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(to_json(*loaded), to_json(state("one")));
  folder().remove("one");
  EXPECT_FALSE(folder().load("one"));
  EXPECT_FALSE(std::filesystem::exists(path_)) << "the last one takes the folder away";
}

TEST_F(State, a_living_labs_name_is_taken) {
  ASSERT_TRUE(folder().save(state("one")));
  const auto again = folder().save(state("one"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::busy);
  ASSERT_TRUE(folder().save(state("two")));
  EXPECT_EQ(folder().list()->size(), 2u);
}

TEST_F(State, of_an_owner_that_has_gone_is_removed) {
  LabState stale = state("one");
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(gone, nullptr, 0), gone);
  stale.owner.pid = gone;
  ASSERT_TRUE(folder().save(stale));
  EXPECT_FALSE(folder().load("one"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(State, of_a_pid_that_somebody_else_has_by_now_is_removed) {
  LabState stale = state("one");
  ++stale.owner.start;
  ASSERT_TRUE(folder().save(stale));
  EXPECT_TRUE(folder().save(state("one"))) << "the name is free again";
}

TEST_F(State, an_unreadable_note_is_removed) {
  std::filesystem::create_directories(path_);
  std::ofstream(path_ + "/one.json") << "{\"name\": \"one\"}";
  EXPECT_TRUE(folder().list()->empty());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST(ProcessName, is_none_for_a_zombie) {
  const pid_t zombie = ::fork();
  if (zombie == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(ProcessName::of(zombie));
  ::waitpid(zombie, nullptr, 0);
}

}  // namespace
}  // namespace sockswap::lab
