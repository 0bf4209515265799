// A cluster in a temporary folder, and meshes of its hosts in one event loop, over real loopback sockets.
// Host number n lives at 127.x.y.n; x and y differ from process to process, so that tests may run side by
// side.
#pragma once

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/authority.h"
#include "mesh/mesh.h"

namespace sockswap::mesh {

Address address_of_host(int number);

class ScratchCluster {
 public:
  ScratchCluster();
  ScratchCluster(const ScratchCluster&) = delete;
  ScratchCluster& operator=(const ScratchCluster&) = delete;
  ~ScratchCluster();

  void add(const std::string& name, int number, const cluster::Validity& validity = {});
  void add(const cluster::Host& host, const cluster::Validity& validity = {});
  cluster::HostTable table() const;
  cluster::Identity identity(const std::string& name) const;  // whether it is still valid or not
  // With another certificate: of the same name, for that host number's address.
  cluster::Identity identity_at(const std::string& name, int number) const;

 private:
  std::filesystem::path folder_;
};

// A mesh and all that it has told.
struct Node {
  std::vector<Incoming> received;
  std::vector<std::pair<std::string, Error>> lost;
  std::vector<Error> refused;
  std::function<void(const Incoming&)> on_message;
  std::function<void(const std::string&)> on_lost;
  std::unique_ptr<Mesh> mesh;
};

class MeshTest : public testing::Test {
 protected:
  std::unique_ptr<Node> start(const std::string& name, const cluster::HostTable& table,
                              const MeshLimits& limits = {});
  std::unique_ptr<Node> start(const std::string& name, const MeshLimits& limits = {}) {
    return start(name, cluster.table(), limits);
  }
  // Runs the loop until `done`; fails the test if that never comes.
  void run_until(const std::function<bool()>& done);
  void run_for(std::chrono::milliseconds time);
  // A message from one to the other arrives, whatever has gone before.
  void expect_delivery(Node& from, Node& to);

  asio::io_context io{1};
  ScratchCluster cluster;
};

wire::Message numbered(int number);
int number_of(const wire::Message& message);

}  // namespace sockswap::mesh
