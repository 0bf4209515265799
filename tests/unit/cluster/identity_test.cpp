#include "cluster/identity.h"

#include <gmock/gmock.h>

#include <fstream>

#include "cluster/authority.h"
#include "scratch.h"

namespace sockswap::cluster {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Identities : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_cluster(folder));
    ASSERT_TRUE(add_host(folder, host("alpha", {"10.0.0.1"})));
    ASSERT_TRUE(add_host(folder, host("beta", {"10.0.0.2"})));
  }
  void expect_refusal(const std::filesystem::path& bundle, ErrorCode code, const char* within) {
    const auto identity = load_identity(bundle);
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, code) << identity.error().text();
    EXPECT_THAT(identity.error().text(), HasSubstr(within));
  }
  void replace(const char* file, const std::filesystem::path& by) {
    std::filesystem::copy_file(by, folder / "alpha" / file,
                               std::filesystem::copy_options::overwrite_existing);
  }
  Scratch scratch;
  std::filesystem::path folder = scratch.path() / "cluster";
};

TEST_F(Identities, Load) { EXPECT_EQ(load_identity(folder / "alpha")->name, "alpha"); }

TEST_F(Identities, NeedEachOfTheirFiles) {
  for (const char* file : {"ca.pem", "cert.pem", "key.pem"}) {
    const auto path = folder / "alpha" / file;
    std::filesystem::rename(path, scratch.path() / "away");
    expect_refusal(folder / "alpha", ErrorCode::not_found, file);
    std::ofstream(path) << "rubbish";
    expect_refusal(folder / "alpha", ErrorCode::usage, file);
    std::filesystem::rename(scratch.path() / "away", path);
  }
  EXPECT_TRUE(load_identity(folder / "alpha"));
}

TEST_F(Identities, NeedTheCertificatesOwnKey) {
  replace("key.pem", folder / "beta" / "key.pem");
  expect_refusal(folder / "alpha", ErrorCode::not_permitted, "is not the key of");
}

TEST_F(Identities, NeedTheAuthoritysSignature) {
  ASSERT_TRUE(make_cluster(scratch.path() / "other"));
  replace("ca.pem", scratch.path() / "other" / "ca.pem");
  expect_refusal(folder / "alpha", ErrorCode::not_permitted, "was not signed by");
}

TEST_F(Identities, Expire) {
  const auto now = std::chrono::system_clock::now();
  ASSERT_TRUE(add_host(folder, host("late", {"10.0.0.3"}), {.from = now - 2h, .until = now - 1h}));
  expect_refusal(folder / "late", ErrorCode::not_permitted, "has expired");
  ASSERT_TRUE(add_host(folder, host("early", {"10.0.0.4"}), {.from = now + 1h, .until = now + 2h}));
  expect_refusal(folder / "early", ErrorCode::not_permitted, "not valid yet");
}

TEST_F(Identities, DontAskForAPassphrase) {
  const auto file = folder / "alpha" / "key.pem";
  std::filesystem::remove(file);
  std::ofstream(file) << "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBK\n"
                         "-----END ENCRYPTED PRIVATE KEY-----\n";
  expect_refusal(folder / "alpha", ErrorCode::usage, "holds no private key");
}

}  // namespace
}  // namespace sockswap::cluster
