#include "demo/demo.h"

#include <unistd.h>

#include <memory>

#include "cli/verbs/verbs.h"
#include "lab/quality.h"

namespace sockswap::cli {
namespace {

constexpr Help help{
    .summary = "Move a live connection round three virtual hosts on this machine (needs root)",
    .examples =
        "sockswap demo\n"
        "sockswap demo --rate 0bit --size 2000\n"
        "sockswap demo --kernel uml --size 100\n"
        "sockswap demo --program nc --json"};

struct Asked {
  demo::Options options;
  std::string rate = "1gbit";
  std::string kernel = "shared";
  std::string programs_folder;
};

// Beside this program when it is run from where it was built or installed, unless said otherwise.
std::filesystem::path find(const Asked& asked, const std::string& name) {
  std::error_code ignored;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const std::filesystem::path& folder :
       {std::filesystem::path(asked.programs_folder), own, own / "../sbin", own / "../daemon",
        own / "../../examples", own / "../libexec/sockswap", own / "../lab"})
    if (!folder.empty() && std::filesystem::exists(folder / name, ignored))
      return std::filesystem::canonical(folder / name, ignored);
  return {};
}

Result<ErrorCode> run(Asked asked, const Context& context) {
  if (::geteuid() != 0)
    return failure(ErrorCode::not_permitted, "the demo makes virtual hosts, which needs root",
                   "sudo sockswap demo");
  demo::Options& options = asked.options;
  SOCKSWAP_TRY(options.rate, lab::parse_rate(asked.rate));
  // Moves lead from the machine's kernel to another and back, or from one guest to the next.
  if (asked.kernel == "mixed") options.guests = {"gamma"};
  if (asked.kernel == "uml") options.guests = {"alpha", "beta", "gamma"};
  std::vector<std::pair<std::filesystem::path*, const char*>> programs{
      {&options.sockswapd, "sockswapd"},
      {&options.sockswap, "sockswap"},
      {&options.receiver, "sockswap-receiver"}};
  if (!options.guests.empty()) programs.emplace_back(&options.guest.agent, "sockswap-lab-guest");
  for (const auto& [path, name] : programs) {
    *path = find(asked, name);
    if (path->empty())
      return failure(ErrorCode::not_found, std::string("the demo doesn't find ") + name,
                     "say with --programs in which folder it is");
  }
  SOCKSWAP_TRY(const auto transfers, demo::run(options));
  SOCKSWAP_CHECK(Output::write(context.json ? demo::json(transfers) : demo::screen(transfers)));
  for (const demo::Transfer& transfer : transfers)
    if (!transfer.holds()) return ErrorCode::internal;
  return ErrorCode::ok;
}

}  // namespace

void add_demo(CommandLine& line) {
  auto asked = std::make_shared<Asked>();
  CLI::App& app =
      line.add_verb("demo", help, [asked](const Context& context) { return run(*asked, context); });
  app.add_option("--program", asked->options.programs, "Who sends: socat, nc (more than one is possible)")
      ->check(CLI::IsMember({"socat", "nc"}));
  app.add_option("--size", asked->options.megabytes, "Of the file, in MB")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--rate", asked->rate, "Of every link; 0bit is as fast as the machine goes")
      ->capture_default_str();
  app.add_option("--kernel", asked->kernel,
                 "Of the hosts: shared, the machine's; uml, one each (User Mode Linux); mixed, one for gamma")
      ->check(CLI::IsMember({"shared", "uml", "mixed"}))
      ->capture_default_str();
  app.add_option("--charts", asked->options.chart_folder, "Folder for the SVG pictures")
      ->capture_default_str();
  app.add_option("--programs", asked->programs_folder,
                 "Folder with sockswapd, sockswap, sockswap-receiver and sockswap-lab-guest");
}

}  // namespace sockswap::cli
