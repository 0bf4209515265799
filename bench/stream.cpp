#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "bench.h"
#include "mover.h"
#include "pause_parts.h"
#include "records.h"
#include "statistics.h"

namespace sockswap::bench {
namespace {

constexpr std::uint16_t first_port = 5200;

// The file that is sent, in memory so that no disk is measured.
class RandomFile {
 public:
  explicit RandomFile(std::uint64_t bytes) : path_(fmt::format("/dev/shm/sockswap-bench-{}", ::getpid())) {
    std::ofstream out(path_, std::ios::binary);
    std::vector<char> block(1 << 20);
    for (std::uint64_t done = 0; done < bytes; done += block.size()) {
      (void)::getrandom(block.data(), 256, 0);
      out.write(block.data(),
                static_cast<std::streamsize>(std::min<std::uint64_t>(block.size(), bytes - done)));
    }
    if (!out.flush()) throw std::runtime_error("no room in /dev/shm for the file to send");
  }
  ~RandomFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Seconds from the first byte that can be read to the end of the stream.
double transfer(lab::Cluster& cluster, Mover& mover, const RandomFile& file, std::uint64_t bytes,
                bool moves) {
  static std::uint16_t port = first_port;
  ++port;
  std::optional<lab::Process> sender;
  Fd fd = mover.accept(port, [&] {
    auto started = cluster.host("alpha").spawn(
        {.argv = {"socat", "-b", "262144", "-u", "OPEN:" + file.path(),
                  fmt::format("TCP4:{}:{}", cluster.host("beta").v4().text(), port)}});
    if (!started) throw std::runtime_error(started.error().text());
    sender = *std::move(started);
  });
  std::vector<char> buffer(1 << 20);
  std::uint64_t done = 0;
  const auto began = std::chrono::steady_clock::now();
  for (;;) {
    if (moves && done >= bytes / 2) {
      fd = mover.move(std::move(fd));
      moves = false;
    }
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    done += static_cast<std::uint64_t>(got);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (done != bytes) throw std::runtime_error(fmt::format("{} of {} bytes arrived", done, bytes));
  return seconds;
}

}  // namespace

Result<Json> stream(const Options& options) {
  SOCKSWAP_TRY(const std::uint64_t rate, lab::parse_rate(options.rate));
  lab::Cluster cluster = three_hosts({.rate = rate});
  Mover mover(cluster);
  const std::uint64_t bytes = static_cast<std::uint64_t>(options.megabytes) * 1'000'000;
  const RandomFile file(bytes);
  transfer(cluster, mover, file, bytes, true);  // warm-up
  std::vector<double> plain, moved, ratios;
  for (int i = 0; i < options.pairs; ++i) {
    // Whichever comes second gets the warmer machine: they take turns.
    const bool moved_first = i % 2 == 1;
    if (moved_first) moved.push_back(transfer(cluster, mover, file, bytes, true));
    plain.push_back(transfer(cluster, mover, file, bytes, false));
    if (!moved_first) moved.push_back(transfer(cluster, mover, file, bytes, true));
    ratios.push_back(moved.back() / plain.back());
    fmt::print(stderr, "pair {} of {}: {:.3f} s plain, {:.3f} s moved\n", i + 1, options.pairs, plain.back(),
               moved.back());
  }
  mover.settle();
  const std::vector<MoveTimes> moves = move_times(cluster);
  const auto pause_ms = [&](std::vector<double> pause) {
    for (double& value : pause) value /= 1000;
    return summary(pause);
  };
  return Json{{"ratio", median(ratios)},
              {"ratios", ratios},
              {"plain_s", summary(plain)},
              {"moved_s", summary(moved)},
              {"pause_ms", pause_ms(between(moves, "origin.freezing", "destination.thawed"))},
              {"staying_end_pause_ms", pause_ms(between(moves, "peer.holding", "peer.swapped"))},
              {"whole_move_ms", pause_ms(between(moves, "origin.asked", "origin.activated"))},
              {"parts_us", pause_parts(moves)},
              {"megabytes", options.megabytes},
              {"link_bits_per_second", rate}};
}

}  // namespace sockswap::bench
