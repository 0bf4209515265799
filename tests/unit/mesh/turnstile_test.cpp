// What keeps strangers' handshakes from taking the loop's time. Nothing here measures: work is made to last,
// and what is counted is what else has got its turn meanwhile.
#include "mesh/turnstile.h"

#include <gtest/gtest.h>

#include <asio/post.hpp>
#include <thread>
#include <vector>

namespace sockswap::mesh {
namespace {

using namespace std::chrono_literals;

TEST(Turnstile, LetsAllThroughInOrder) {
  asio::io_context io{1};
  Turnstile turnstile(io);
  std::vector<int> through;
  for (int i = 0; i < 1000; ++i) turnstile.queue([&, i] { through.push_back(i); });
  EXPECT_TRUE(through.empty()) << "never from within the call";
  io.run();
  ASSERT_EQ(through.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(through[static_cast<std::size_t>(i)], i);
}

TEST(Turnstile, RestsSeveralTimesAsLongAsItHasWorked) {
  asio::io_context io{1};
  Turnstile turnstile(io);
  std::vector<std::chrono::steady_clock::time_point> ends;
  for (int i = 0; i < 3; ++i)
    turnstile.queue([&] {
      if (!ends.empty()) {
        EXPECT_GE(std::chrono::steady_clock::now() - ends.back(), rest_after_work * 20ms);
      }
      std::this_thread::sleep_for(20ms);
      ends.push_back(std::chrono::steady_clock::now());
    });
  io.run();
  EXPECT_EQ(ends.size(), 3U);
}

TEST(Turnstile, MayEndWithStepsInIt) {
  asio::io_context io{1};
  int steps = 0;
  auto turnstile = std::make_unique<Turnstile>(io);
  for (int i = 0; i < 3; ++i)
    turnstile->queue([&] {
      ++steps;
      turnstile.reset();
    });
  io.run();
  EXPECT_EQ(steps, 1);
  auto another = std::make_unique<Turnstile>(io);
  another->queue([&] { ++steps; });
  another.reset();
  io.restart();
  io.run();
  EXPECT_EQ(steps, 1);
}

}  // namespace
}  // namespace sockswap::mesh
