#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "run_command.h"

namespace sockswap::cli {
namespace {

class Cluster : public testing::Test {
 protected:
  Cluster() {
    std::string pattern = testing::TempDir() + "cluXXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    scratch_ = pattern;
    folder_ = scratch_ / "our cluster";
  }
  ~Cluster() override { std::filesystem::remove_all(scratch_); }

  Ran init() { return run_command({"cluster", "init", folder_}); }
  Ran add(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"cluster", "add", folder_});
    return run_command(arguments);
  }

  std::filesystem::path scratch_;
  std::filesystem::path folder_;  // with a blank in its name
};

TEST_F(Cluster, InitMakesItAndSaysWhatIsNext) {
  const Ran ran = init();
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "ca-key.pem"));
  EXPECT_NE(ran.out.find("Next:\n"), std::string::npos);
  EXPECT_NE(ran.out.find("sockswap cluster add '" + folder_.native() + "' NAME ADDRESS\n"), std::string::npos)
      << ran.out;
}

TEST_F(Cluster, InitNeverReplacesOne) {
  EXPECT_EQ(init().status, 0);
  EXPECT_EQ(init().status, 2);
}

TEST_F(Cluster, AddMakesTheBundleAndSaysWhereItGoes) {
  ASSERT_EQ(init().status, 0);
  const Ran ran = add({"alpha", "10.0.0.1", "fd00::1", "--port", "7400"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  for (const char* file : {"ca.pem", "cert.pem", "key.pem", "hosts.toml"}) {
    const auto path = folder_ / "alpha" / file;
    EXPECT_TRUE(std::filesystem::exists(path)) << path;
    EXPECT_NE(ran.out.find("  " + path.native() + "\n"), std::string::npos) << path;
  }
  EXPECT_NE(ran.out.find("scp -p '" + (folder_ / "alpha").native() + "'/* root@10.0.0.1:/etc/sockswap/\n"),
            std::string::npos)
      << ran.out;
  EXPECT_EQ(ran.out.find("each other HOST"), std::string::npos) << "there are no others yet";

  const Ran second = run_command({"cluster", "add", folder_, "beta", "fd00::2", "--json"});
  const Json json = second.json();
  EXPECT_EQ(json["files"].size(), 4u);
  EXPECT_NE(json["next"].dump().find("root@[fd00::2]:/etc/sockswap/"), std::string::npos);
  EXPECT_NE(json["next"].dump().find("reload sockswapd there: alpha"), std::string::npos);
}

// Words after a verb are its own, even if they are verbs' names elsewhere.
TEST_F(Cluster, AHostMayBeCalledLikeAVerb) {
  ASSERT_EQ(init().status, 0);
  for (const char* name : {"hosts", "move", "init"}) {
    static int last = 0;
    EXPECT_EQ(add({name, "10.0.0." + std::to_string(++last)}).status, 0) << name;
    EXPECT_TRUE(std::filesystem::exists(folder_ / name / "key.pem"));
  }
}

TEST_F(Cluster, AddRefusesWhatMakesNoSense) {
  EXPECT_NE(add({"alpha", "10.0.0.1"}).status, 0) << "no cluster";
  ASSERT_EQ(init().status, 0);
  EXPECT_EQ(add({"alpha", "alpha.example"}).status, 2);
  EXPECT_EQ(add({"not/a/name", "10.0.0.1"}).status, 2);
  EXPECT_EQ(add({"alpha"}).status, 2);
  EXPECT_EQ(add({"alpha", "10.0.0.1", "--port", "0"}).status, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "alpha"));
  EXPECT_EQ(add({"alpha", "10.0.0.1"}).status, 0) << "the control";
  EXPECT_EQ(add({"beta", "10.0.0.1"}).status, 2) << "alpha has that address";
}

}  // namespace
}  // namespace sockswap::cli
