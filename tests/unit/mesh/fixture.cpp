#include "fixture.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>

#include "cluster/certificate.h"
#include "cluster/issue.h"

namespace sockswap::mesh {
namespace {

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  ADD_FAILURE() << result.error().text();
  std::abort();
}
void must(const Result<>& result) { ASSERT_TRUE(result) << result.error().text(); }

constexpr auto hopeless = std::chrono::seconds(60);

}  // namespace

Address address_of_host(int number) {
  const int pid = ::getpid();
  return Address::parse(fmt::format("127.{}.{}.{}", 64 + (pid >> 8) % 64, pid % 256, number)).value();
}

ScratchCluster::ScratchCluster() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sockswap-test.XXXXXX").native();
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  folder_ = pattern;
  must(cluster::make_cluster(folder_));
}
ScratchCluster::~ScratchCluster() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void ScratchCluster::add(const std::string& name, int number, const cluster::Validity& validity) {
  add(cluster::Host{.name = name, .addresses = {address_of_host(number)}}, validity);
}
void ScratchCluster::add(const cluster::Host& host, const cluster::Validity& validity) {
  must(cluster::add_host(folder_, host, validity));
}

cluster::HostTable ScratchCluster::table() const {
  return must(cluster::HostTable::load(folder_ / "hosts.toml"));
}

cluster::Identity ScratchCluster::identity(const std::string& name) const {
  const auto bundle = folder_ / name;
  cluster::Identity out;
  out.authority = must(cluster::load_certificate(bundle / "ca.pem"));
  out.certificate = must(cluster::load_certificate(bundle / "cert.pem"));
  out.key = must(cluster::load_key(bundle / "key.pem"));
  out.name = must(cluster::name_of(*out.certificate));
  return out;
}

cluster::Identity ScratchCluster::identity_at(const std::string& name, int number) const {
  cluster::Identity out = identity(name);
  const cluster::KeyPtr authority_key = must(cluster::load_key(folder_ / "ca-key.pem"));
  out.certificate = must(cluster::issue({.name = name, .addresses = {address_of_host(number)}}, *out.key, {},
                                        *out.authority, *authority_key));
  return out;
}

std::unique_ptr<Node> MeshTest::start(const std::string& name, const cluster::HostTable& table,
                                      const MeshLimits& limits) {
  auto node = std::make_unique<Node>();
  Node* out = node.get();
  Mesh::Handlers handlers;
  handlers.message = [out](Incoming incoming) {
    if (out->on_message) out->on_message(incoming);
    out->received.push_back(std::move(incoming));
  };
  handlers.lost = [out](const std::string& host, const Error& error) {
    out->lost.emplace_back(host, error);
    if (out->on_lost) out->on_lost(host);
  };
  handlers.refused = [out](const std::string&, const Error& error) { out->refused.push_back(error); };
  node->mesh = must(Mesh::make(io, table, cluster.identity(name), std::move(handlers), limits));
  if (table.find(name) != nullptr) must(node->mesh->listen());
  return node;
}

void MeshTest::run_until(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + hopeless;
  io.restart();
  while (!done()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "what was awaited never came";
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
}

void MeshTest::run_for(std::chrono::milliseconds time) {
  io.restart();
  io.run_for(time);
}

void MeshTest::expect_delivery(Node& from, Node& to) {
  constexpr int probe = 987654;
  const std::size_t before = to.received.size();
  from.mesh->send(to.mesh->own_name(), numbered(probe));
  run_until([&] { return to.received.size() > before; });
  ASSERT_GT(to.received.size(), before);
  EXPECT_EQ(number_of(to.received.back().message), probe);
  EXPECT_EQ(to.received.back().host, from.mesh->own_name());
}

wire::Message numbered(int number) {
  wire::Message out;
  out.set_move_id(std::to_string(number));
  out.mutable_ready();
  return out;
}
int number_of(const wire::Message& message) { return std::stoi(message.move_id()); }

}  // namespace sockswap::mesh
