#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "cli/verbs/verbs.h"
#include "cluster/authority.h"

namespace sockswap::cli {
namespace {

constexpr Help init_help{.summary = "Make a cluster: its certificate authority, and no hosts yet",
                         .examples = "sockswap cluster init ./cluster"};
constexpr Help add_help_text{.summary = "Add a host to a cluster: make what it needs to be a member",
                             .examples =
                                 "sockswap cluster add ./cluster alpha 10.0.0.1\n"
                                 "sockswap cluster add ./cluster beta 10.0.0.2 fd00::2 --port 7400"};

// Where sockswapd looks for its identity.
constexpr std::string_view daemon_folder = "/etc/sockswap";

struct Options {
  std::string folder;
  std::string name;
  std::vector<std::string> addresses;
  std::uint16_t port = cluster::default_port;
};

std::string quoted(const std::string& word) {
  constexpr std::string_view harmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:@%,";
  if (word.find_first_not_of(harmless) == std::string::npos) return word;
  std::string out = "'";
  for (const char letter : word) out += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return out + "'";
}

Result<ErrorCode> init(const Options& options, const Context& context) {
  SOCKSWAP_CHECK(cluster::make_cluster(options.folder));
  const std::filesystem::path folder(options.folder);
  SOCKSWAP_CHECK(context.output.print(ClusterChange{
      .done = fmt::format("made a cluster in {}", options.folder),
      .files = {folder / "ca-key.pem", folder / "ca.pem", folder / "hosts.toml"},
      .next = {fmt::format("keep {} secret: it makes hosts members", quoted(folder / "ca-key.pem")),
               fmt::format("sockswap cluster add {} NAME ADDRESS", quoted(options.folder))}}));
  return ErrorCode::ok;
}

// What has to go where, so that the new host is a member and the others know it.
std::vector<std::string> to_copy(const Options& options, const Address& address,
                                 const cluster::HostTable& table) {
  const std::string ssh = "root@" + address.text();
  const std::string scp = address.is_v4() ? ssh : fmt::format("root@[{}]", address.text());
  const std::filesystem::path folder(options.folder);
  std::vector<std::string> out{
      fmt::format("ssh {} mkdir -p {}", ssh, daemon_folder),
      fmt::format("scp -p {}/* {}:{}/", quoted(folder / options.name), scp, daemon_folder),
      fmt::format("start sockswapd on {}", options.name)};
  std::vector<std::string> others;
  for (const auto& [name, host] : table.hosts())
    if (name != options.name) others.push_back(name);
  if (!others.empty())
    out.push_back(
        fmt::format("copy {}/HOST/hosts.toml to {}/ on each other HOST and reload sockswapd there: {}",
                    quoted(options.folder), daemon_folder, fmt::join(others, " ")));
  return out;
}

Result<ErrorCode> add(const Options& options, const Context& context) {
  cluster::Host host{.name = options.name, .addresses = {}, .port = options.port};
  for (const std::string& text : options.addresses) {
    SOCKSWAP_TRY(const Address address, Address::parse(text));
    host.addresses.push_back(address);
  }
  SOCKSWAP_CHECK(cluster::add_host(options.folder, host));
  const std::filesystem::path folder(options.folder);
  SOCKSWAP_TRY(const auto table, cluster::HostTable::load(folder / "hosts.toml"));
  const std::filesystem::path bundle = folder / options.name;
  SOCKSWAP_CHECK(context.output.print(ClusterChange{
      .done = fmt::format("added {} to the cluster in {}", options.name, options.folder),
      .files = {bundle / "ca.pem", bundle / "cert.pem", bundle / "key.pem", bundle / "hosts.toml"},
      .next = to_copy(options, host.addresses.front(), table)}));
  return ErrorCode::ok;
}

}  // namespace

void add_cluster(CommandLine& line) {
  CLI::App& group = line.add_group("cluster", "Make a cluster, add hosts to it");
  auto options = std::make_shared<Options>();

  CLI::App& init_app = line.add_verb(group, "init", init_help,
                                     [options](const Context& context) { return init(*options, context); });
  init_app.add_option("DIR", options->folder, "A new folder, on a machine that you trust")
      ->type_name("")
      ->required();

  CLI::App& add_app = line.add_verb(group, "add", add_help_text,
                                    [options](const Context& context) { return add(*options, context); });
  add_app.add_option("DIR", options->folder, "The cluster's folder")->type_name("")->required();
  add_app.add_option("NAME", options->name, "The host's name")->type_name("")->required();
  add_app.add_option("ADDRESS", options->addresses, "Its addresses, those to dial first")
      ->type_name("")
      ->required();
  add_app.add_option("--port", options->port, "Where its sockswapd listens")
      ->type_name("N")
      ->check(port_number())
      ->capture_default_str();
}

}  // namespace sockswap::cli
