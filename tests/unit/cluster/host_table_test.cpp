#include "cluster/host_table.h"

#include <gmock/gmock.h>

#include "scratch.h"

namespace sockswap::cluster {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view two_hosts = R"([hosts.alpha]
addresses = ["10.0.0.1", "fd00::1"]

[hosts.beta-2]
addresses = ["10.0.0.2"]
port = 9000
)";

TEST(HostTable, ReadsNamesAddressesAndPorts) {
  const auto table = HostTable::parse(two_hosts);
  ASSERT_TRUE(table) << table.error().text();
  ASSERT_EQ(table->hosts().size(), 2u);
  EXPECT_EQ(*table->find("alpha"), host("alpha", {"10.0.0.1", "fd00::1"}, default_port));
  EXPECT_EQ(*table->find("beta-2"), host("beta-2", {"10.0.0.2"}, 9000));
  EXPECT_EQ(table->find("gamma"), nullptr);
}

TEST(HostTable, KnowsWhoseAnAddressIs) {
  const auto table = HostTable::parse(two_hosts).value();
  EXPECT_EQ(table.host_of(address("fd00::1"))->name, "alpha");
  EXPECT_EQ(table.host_of(address("::ffff:10.0.0.2"))->name, "beta-2");
  EXPECT_EQ(table.host_of(address("10.0.0.3")), nullptr);
}

TEST(HostTable, ReadsWhatItWrites) {
  const auto table = HostTable::parse(two_hosts).value();
  const auto again = HostTable::parse(table.text());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->hosts(), table.hosts());
  EXPECT_TRUE(HostTable::parse(HostTable{}.text())->hosts().empty());
}

TEST(HostTable, SavesInOneStep) {
  const Scratch scratch;
  const auto file = scratch.path() / "hosts.toml";
  const auto table = HostTable::parse(two_hosts).value();
  ASSERT_TRUE(table.save(file));
  ASSERT_TRUE(table.save(file));
  EXPECT_EQ(HostTable::load(file)->hosts(), table.hosts());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch.path()), {}), 1);
  EXPECT_EQ(HostTable::load(scratch.path() / "none").error().code, ErrorCode::not_found);
}

TEST(HostTable, AFailedAddLeavesItAsItWas) {
  auto table = HostTable::parse(two_hosts).value();
  const std::string before = table.text();
  EXPECT_FALSE(table.add(host("gamma", {"10.0.0.9", "10.0.0.2"})));
  EXPECT_EQ(table.text(), before);
  EXPECT_EQ(table.host_of(address("10.0.0.9")), nullptr);
  EXPECT_TRUE(table.add(host("gamma", {"10.0.0.9"})));
}

struct Bad {
  std::string_view text;
  std::string_view begin;  // of the message
  std::string_view within;
};
class BadHosts : public testing::TestWithParam<Bad> {};

TEST_P(BadHosts, AreRefusedInOneLineThatNamesTheLine) {
  const auto table = HostTable::parse(GetParam().text, "h.toml");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, ErrorCode::usage);
  EXPECT_THAT(table.error().message, StartsWith(std::string(GetParam().begin)));
  EXPECT_THAT(table.error().message, HasSubstr(std::string(GetParam().within)));
  EXPECT_THAT(table.error().message, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadHosts,
    testing::Values(
        Bad{"[hosts.alpha\n", "h.toml:1: ", ""},
        Bad{"[# hosts.alpha]\n", "h.toml:1: ", "saw '#'"},  // where toml++ asserts
        Bad{"[\u00e4]\n", "h.toml:1: ", ""},                // which it calls unreachable
        Bad{"\n\nhosts = 3\n", "h.toml:3: ", "'hosts' must be a table"},
        Bad{"[host.alpha]\n", "h.toml:1: ", "unknown key 'host'"},
        Bad{"[hosts]\nalpha = \"10.0.0.1\"\n", "h.toml:2: ", "'alpha' must be a table"},
        Bad{"[hosts.alpha]\n", "h.toml:1: ", "no address"},
        Bad{"[hosts.alpha]\naddresses = []\n", "h.toml:1: ", "no address"},
        Bad{"[hosts.alpha]\naddresses = \"10.0.0.1\"\n", "h.toml:2: ", "list of strings"},
        Bad{"[hosts.alpha]\naddresses = [\"10.0.0.1\",\n 7]\n", "h.toml:3: ", "list of strings"},
        Bad{"[hosts.alpha]\naddresses = [\"example.org\"]\n",
            "h.toml:2: ", "'example.org' is not an IP address"},
        Bad{"[hosts.alpha]\naddresses = [\"10.0.0.1/24\"]\n", "h.toml:2: ", "not an IP address"},
        Bad{"[hosts.alpha]\naddresses = [\"0.0.0.0\"]\n", "h.toml:1: ", "no host's address"},
        Bad{"[hosts.alpha]\naddresses = [\"fe80::1\"]\n", "h.toml:1: ", "link-local"},
        Bad{"[hosts.alpha]\naddresses = [\"10.0.0.1\"]\nport = 0\n", "h.toml:3: ", "1 to 65535"},
        Bad{"[hosts.alpha]\naddresses = [\"10.0.0.1\"]\nport = 65536\n", "h.toml:3: ", "1 to 65535"},
        Bad{"[hosts.alpha]\naddresses = [\"10.0.0.1\"]\nport = \"7337\"\n", "h.toml:3: ", "1 to 65535"},
        Bad{"[hosts.alpha]\naddresses = [\"10.0.0.1\"]\nprot = 7337\n", "h.toml:3: ", "unknown key 'prot'"},
        Bad{"[hosts.alpha]\naddresses = [\"10.0.0.1\", \"::ffff:10.0.0.1\"]\n", "h.toml:1: ", "twice"},
        Bad{"[hosts.a]\naddresses = [\"10.0.0.1\"]\n[hosts.b]\naddresses = [\"10.0.0.1\"]\n",
            "h.toml:3: ", "10.0.0.1 belongs to both a and b"},
        Bad{"[hosts.a]\naddresses = [\"10.0.0.1\"]\n[hosts.a]\naddresses = [\"10.0.0.2\"]\n",
            "h.toml:3: ", ""},
        Bad{"[hosts.Alpha]\naddresses = [\"10.0.0.1\"]\n", "h.toml:1: ", "'Alpha' is not a host name"},
        Bad{"[hosts.\"../x\"]\naddresses = [\"10.0.0.1\"]\n", "h.toml:1: ", "not a host name"}));

TEST(HostNames, AreLowerCaseLabels) {
  for (const std::string_view good : {"a", "alpha", "10", "node-7", "a--b"})
    EXPECT_TRUE(is_host_name(good)) << good;
  for (const std::string_view bad : {"", "-a", "a-", "Alpha", "a.b", "a_b", "a/b", "*", "ä"})
    EXPECT_FALSE(is_host_name(bad)) << bad;
  EXPECT_TRUE(is_host_name(std::string(63, 'x')));
  EXPECT_FALSE(is_host_name(std::string(64, 'x')));
  EXPECT_FALSE(is_host_name(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace sockswap::cluster
