#include "ends.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <sstream>
#include <thread>

namespace sockswap::soak {
namespace {

constexpr std::chrono::milliseconds look_every{5};

std::string all_of(const Fd& file) {
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (ssize_t got = 0; (got = ::read(file.get(), buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  return text;
}

}  // namespace

Result<Speaker> Speaker::start(lab::Host& host, const std::string& name, std::vector<std::string> argv) {
  const std::string out = "/run/" + name + ".out", err = "/run/" + name + ".err";
  SOCKSWAP_TRY(lab::Process process, host.spawn({.argv = std::move(argv),
                                                 .in = lab::Stdio::pipe(),
                                                 .out = lab::Stdio::file(out),
                                                 .err = lab::Stdio::file(err)}));
  const auto open = [&](const std::string& path) {
    return host.inside([&] { return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)); });
  };
  Fd said = open(out), complained = open(err);
  if (!said || !complained) return system_failure(errno, "read what " + name + " says");
  return Speaker(std::move(process), std::move(said), std::move(complained), host.name() + "'s " + name);
}

Result<std::vector<std::string>> Speaker::read() {
  const bool ran = process_.running();
  begun_ += all_of(out_);
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = begun_.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(begun_.substr(begin, end - begin));
  begun_.erase(0, begin);
  if (!ran) {
    SOCKSWAP_TRY(const lab::ExitStatus status, process_.wait());
    if (!status.ok())
      return failure(ErrorCode::internal, fmt::format("{}: {}: {}", name_, status.text(), all_of(err_)));
  }
  return lines;
}

Result<std::string> Speaker::wait_for(const std::string& word) {
  const auto until = std::chrono::steady_clock::now() + lab::kPatience;
  while (std::chrono::steady_clock::now() < until) {
    SOCKSWAP_TRY(const auto lines, read());
    for (const std::string& line : lines)
      if (line.starts_with(word)) return line;
    std::this_thread::sleep_for(look_every);
  }
  return failure(ErrorCode::timed_out, fmt::format("{} never said '{}'", name_, word));
}

std::optional<Position> end_of(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  Position position;
  if (words >> word >> position.sent >> position.received && word == "end") return position;
  return std::nullopt;
}

Result<Wandering> Wandering::start(lab::Cluster& cluster, const std::string& program, const Options& options,
                                   const std::string& name, const std::vector<std::string>& ring,
                                   const std::string& opens, const Endpoint& at) {
  Wandering out;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const std::string& next = ring[(i + 1) % ring.size()];
    std::vector<std::string> argv{program, name, next, std::to_string(options.megabytes_a_second * 1e6),
                                  options.leak};
    if (i == 0) argv.insert(argv.end(), {opens, at.address.text(), std::to_string(at.port)});
    SOCKSWAP_TRY(Speaker speaker, Speaker::start(cluster.host(ring[i]), name, std::move(argv)));
    if (i > 0 || opens == "listen") SOCKSWAP_CHECK(speaker.wait_for("ready"));
    out.speakers_.push_back(std::move(speaker));
  }
  return out;
}

Result<> Wandering::go(int moves) {
  asked_ += moves;
  return speakers_.front().write(fmt::format("go {}\n", moves));
}

Result<> Wandering::listen() {
  for (Speaker& speaker : speakers_) {
    SOCKSWAP_TRY(const auto lines, speaker.read());
    for (const std::string& line : lines) {
      std::istringstream words(line);
      std::string word;
      std::size_t number = 0;
      double value = 0;
      words >> word >> number >> value;
      if (word == "moved") {
        pauses_.resize(std::max(pauses_.size(), number));
        pauses_[number - 1] = value;
      } else if (word == "rest") {
        rested_at_ = static_cast<long>(number);
        busy_ = static_cast<long>(value);
      }
    }
  }
  return {};
}

Result<Position> Wandering::wait_for_end() {
  SOCKSWAP_TRY(const std::string line, speakers_.front().wait_for("end"));
  if (const auto position = end_of(line)) return *position;
  return failure(ErrorCode::internal, "no end: " + line);
}

}  // namespace sockswap::soak
