#include "cluster/authority.h"

#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "cluster/certificate.h"
#include "cluster/files.h"
#include "cluster/identity.h"
#include "scratch.h"

namespace sockswap::cluster {
namespace {

mode_t mode_of(const std::filesystem::path& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

class Authority : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(make_cluster(folder)); }
  Scratch scratch;
  std::filesystem::path folder = scratch.path() / "cluster";
};

TEST_F(Authority, MakesAnEmptyCluster) {
  EXPECT_EQ(mode_of(folder / "ca-key.pem"), 0600u);
  EXPECT_EQ(mode_of(folder / "ca.pem"), 0644u);
  EXPECT_TRUE(HostTable::load(folder / "hosts.toml")->hosts().empty());
  const X509Ptr authority = load_certificate(folder / "ca.pem").value();
  EXPECT_TRUE(X509_check_ca(authority.get()));
  EXPECT_EQ(X509_get_pathlen(authority.get()), 0);
}

TEST_F(Authority, IsNeverOverwritten) {
  const std::string key = read_file(folder / "ca-key.pem").value();
  EXPECT_EQ(make_cluster(folder).error().code, ErrorCode::usage);
  std::filesystem::remove(folder / "ca.pem");
  EXPECT_EQ(make_cluster(folder).error().code, ErrorCode::usage);
  EXPECT_EQ(read_file(folder / "ca-key.pem").value(), key);
}

TEST_F(Authority, GivesAHostAllThatItNeedsAndNoMore) {
  ASSERT_TRUE(add_host(folder, host("alpha", {"10.0.0.1", "fd00::1"})));
  const auto bundle = folder / "alpha";
  EXPECT_EQ(mode_of(bundle), 0700u);
  EXPECT_EQ(mode_of(bundle / "key.pem"), 0600u);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(bundle))
    files.push_back(entry.path().filename());
  std::ranges::sort(files);
  EXPECT_EQ(files, (std::vector<std::string>{"ca.pem", "cert.pem", "hosts.toml", "key.pem"}));

  const auto identity = load_identity(bundle);
  ASSERT_TRUE(identity) << identity.error().text();
  EXPECT_EQ(identity->name, "alpha");
  EXPECT_EQ(addresses_of(*identity->certificate), host("alpha", {"10.0.0.1", "fd00::1"}).addresses);
  EXPECT_FALSE(X509_check_ca(identity->certificate.get()));
  EXPECT_EQ(X509_get_extended_key_usage(identity->certificate.get()),
            static_cast<std::uint32_t>(XKU_SSL_SERVER | XKU_SSL_CLIENT));
}

TEST_F(Authority, BringsEveryCopyOfTheTableUpToDate) {
  ASSERT_TRUE(add_host(folder, host("alpha", {"10.0.0.1"})));
  ASSERT_TRUE(add_host(folder, host("beta", {"10.0.0.2"}, 9000)));
  for (const auto& copy : {folder, folder / "alpha", folder / "beta"}) {
    const auto table = HostTable::load(copy / "hosts.toml");
    ASSERT_TRUE(table) << table.error().text();
    EXPECT_NE(table->find("alpha"), nullptr);
    EXPECT_EQ(table->find("beta")->port, 9000);
  }
}

TEST_F(Authority, GivesEachCertificateASerialOfItsOwn) {
  ASSERT_TRUE(add_host(folder, host("alpha", {"10.0.0.1"})));
  ASSERT_TRUE(add_host(folder, host("beta", {"10.0.0.2"})));
  const X509Ptr alpha = load_certificate(folder / "alpha" / "cert.pem").value();
  const X509Ptr beta = load_certificate(folder / "beta" / "cert.pem").value();
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(alpha.get()), X509_get0_serialNumber(beta.get())), 0);
}

TEST_F(Authority, RefusesWhatWouldClash) {
  ASSERT_TRUE(add_host(folder, host("alpha", {"10.0.0.1"})));
  const std::string key = read_file(folder / "alpha" / "key.pem").value();
  const std::string table = read_file(folder / "hosts.toml").value();
  EXPECT_FALSE(add_host(folder, host("alpha", {"10.0.0.2"})));
  EXPECT_FALSE(add_host(folder, host("beta", {"10.0.0.1"})));
  EXPECT_FALSE(add_host(folder, host("../beta", {"10.0.0.2"})));
  EXPECT_FALSE(add_host(folder, host("beta", {})));
  EXPECT_FALSE(std::filesystem::exists(folder / "beta"));
  EXPECT_EQ(read_file(folder / "alpha" / "key.pem").value(), key);
  EXPECT_EQ(read_file(folder / "hosts.toml").value(), table);
}

TEST_F(Authority, LeavesAForeignFolderAlone) {
  std::filesystem::create_directory(folder / "beta");
  std::ofstream(folder / "beta" / "precious") << "data";
  const auto added = add_host(folder, host("beta", {"10.0.0.2"}));
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().hint, "");
  EXPECT_EQ(read_file(folder / "beta" / "precious").value(), "data");
  EXPECT_TRUE(HostTable::load(folder / "hosts.toml")->hosts().empty());
}

TEST_F(Authority, LeavesNoTraceOfAFailedAdd) {
  std::filesystem::remove(folder / "ca-key.pem");
  EXPECT_EQ(add_host(folder, host("alpha", {"10.0.0.1"})).error().code, ErrorCode::not_found);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2);  // ca.pem, hosts.toml
}

}  // namespace
}  // namespace sockswap::cluster
