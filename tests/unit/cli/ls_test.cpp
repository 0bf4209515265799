#include <gtest/gtest.h>

#include "cli/output/json.h"
#include "connections.h"
#include "fake_daemon.h"
#include "run_command.h"

namespace sockswap::cli {
namespace {

std::vector<std::string> listed(const std::vector<std::string>& arguments) {
  const FakeDaemon daemon(four_connections());
  std::vector<std::string> words{"ls", "--json"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Json json = ask(daemon.path(), words).json();
  std::vector<std::string> out;
  for (const Json& connection : json["connections"]) out.push_back(connection["connection"]);
  return out;
}

using Names = std::vector<std::string>;
const std::string redis = "10.0.0.1:6379-10.0.0.2:5000";
const std::string outside = "10.0.0.1:6379-192.0.2.9:40000";
const std::string chat4 = "10.0.0.1:80-10.0.0.3:6379";
const std::string chat6 = "[fd00::1]:80-[fd00::3]:6000";

TEST(Ls, AsText) {
  const FakeDaemon daemon(four_connections());
  const Ran ran = ask(daemon.path(), {"ls", "--all"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out,
            "CONNECTION                     HOST   RECEIVER  PROCESS\n"
            "[fd00::1]:80-[fd00::3]:6000    gamma  chat      chatd[200]\n"
            "10.0.0.1:80-10.0.0.3:6379      gamma  chat      chatd[200]\n"
            "10.0.0.1:6379-10.0.0.2:5000    beta   -         redis-server[100]\n"
            "10.0.0.1:6379-192.0.2.9:40000  -      -         redis-server[100]\n"
            "    not movable: no host of the cluster has the address 192.0.2.9\n");
}

TEST(Ls, AsJson) {
  wire::Reply reply;
  add_connection(reply, outside, "", 100, "redis", "no: no daemon there");
  const FakeDaemon daemon(reply);
  const Ran ran = ask(daemon.path(), {"ls", "--json", "--all"});
  EXPECT_EQ(ran.json(), Json::parse(R"({"connections": [
    {"connection": "10.0.0.1:6379-192.0.2.9:40000", "local": "10.0.0.1:6379", "remote": "192.0.2.9:40000",
     "state": "established", "uid": 33, "receive_queue_bytes": 12, "send_queue_bytes": 3400,
     "host": null, "receiver": null, "processes": [{"pid": 100, "command": "redis", "descriptors": [7]}],
     "movable": false, "reason": "no daemon there"}]})"));
}

TEST(Ls, Filters) {
  EXPECT_EQ(listed({}), (Names{chat6, chat4, redis}));
  EXPECT_EQ(listed({"--all"}), (Names{chat6, chat4, redis, outside}));
  EXPECT_EQ(listed({"--pid", "100"}), (Names{redis}));
  EXPECT_EQ(listed({"--pid", "100", "--all"}), (Names{redis, outside}));
  EXPECT_EQ(listed({"--pid", "300"}), (Names{}));
  EXPECT_EQ(listed({"--port", "6379"}), (Names{chat4, redis})) << "at either end";
  EXPECT_EQ(listed({"--host", "gamma"}), (Names{chat6, chat4}));
  EXPECT_EQ(listed({"--host", "gamma", "--port", "6000"}), (Names{chat6}));
}

TEST(Ls, PrintsConnectionsAsMoveAcceptsThem) {
  for (const std::string& name : listed({"--all"})) {
    const auto tuple = FourTuple::parse(name);
    ASSERT_TRUE(tuple) << name;
    EXPECT_EQ(tuple->text(), name);
  }
}

TEST(Ls, SaysOnStderrThatThereAreNone) {
  const FakeDaemon daemon(four_connections());
  const Ran ran = ask(daemon.path(), {"ls", "--pid", "300"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "sockswap: no such connections; --all shows those that can't be moved too\n");
}

TEST(Ls, RefusesAConnectionWithoutAddresses) {
  wire::Reply reply = four_connections();
  reply.mutable_connections()->mutable_connections(2)->clear_tuple();
  const FakeDaemon daemon(reply);
  EXPECT_EQ(ask(daemon.path(), {"ls"}).status, 1);
}

// A process may have any name of 15 bytes. (protobuf refuses such text on the wire, so the output is asked.)
TEST(Ls, ANameThatIsNotUtf8IsStillJson) {
  Connection connection;
  connection.processes = {{.pid = 1, .command = "caf\xe9\x1b[31m", .descriptors = {}}};
  const std::string line = JsonOutput().render(ConnectionList{{connection}});
  EXPECT_EQ(Json::parse(line)["connections"][0]["processes"][0]["command"], "caf\ufffd\x1b[31m");
  EXPECT_EQ(line.find('\x1b'), std::string::npos) << "escaped";
}

}  // namespace
}  // namespace sockswap::cli
