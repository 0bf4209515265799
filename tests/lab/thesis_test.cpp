// The table of 2002 in small, and whether its parts would notice what they are there to notice.
#include "thesis/thesis.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "lab/process.h"

namespace sockswap::thesis {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kMegabytes = 40;

class Thesis : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "root is missing: a lab needs namespaces of its own";
  }

  static Options options(std::vector<std::string> rows) {
    return {.megabytes = kMegabytes,
            .rounds = 1,
            .lanes = 3,
            .rows = std::move(rows),
            .programs = {.sockswapd = SOCKSWAPD,
                         .sockswap = SOCKSWAP,
                         .end = THESIS_END,
                         .guest = LAB_GUEST,
                         .call_kernel = CALL_KERNEL}};
  }
  static void expect_measured(const Results& results) {
    for (const RowResult& result : results.rows) {
      SCOPED_TRACE(result.row->name);
      const Measured& measured = result.rounds.front();
      EXPECT_GT(measured.seconds, 0);
      EXPECT_GT(measured.stall_ms, 0);
      EXPECT_FALSE(measured.samples.empty());
      EXPECT_GT(result.ratios.front(), 0);
      EXPECT_EQ(result.row->resumes, !result.round_trip_us);
      const bool moves = result.row->course.moves != Course::Moves::none;
      EXPECT_EQ(moves, measured.pause_ms.has_value());
      if (moves) {
        EXPECT_EQ(measured.home_bytes, 0u);
        // The call is used where it is, and pauses nobody.
        EXPECT_EQ(*measured.staying_pause_ms == 0, result.row->kernel == Kernel::call);
      }
      // In at home and out again: whatever a relay is made of.
      if (result.row->course.relay != Course::Relay::none) {
        EXPECT_GE(measured.home_bytes, 2 * kMegabytes * 1'000'000);
      }
    }
    const std::string table = to_table(results);
    for (const RowResult& result : results.rows) EXPECT_THAT(table, HasSubstr(result.row->title));
    EXPECT_EQ(to_json(results)["rows"].size(), results.rows.size());
  }
};

TEST_F(Thesis, RowsOnTheMachinesKernel) {
  const auto results = run(options({"plain", "relay-user", "relay-kernel", "resume", "swap", "swap-sender"}));
  ASSERT_TRUE(results) << results.error().text();
  expect_measured(*results);
}

TEST_F(Thesis, RowsOnKernelsOfTheirOwn) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's shadow has no room in User Mode Linux";
#endif
  auto three_guests = options({"plain-uml", "swap-uml", "swap-uml-sender"});
  three_guests.lanes = 1;
  const auto results = run(three_guests);
  ASSERT_TRUE(results) << results.error().text();
  expect_measured(*results);
}

TEST_F(Thesis, RowsWithTheCall) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's shadow has no room in User Mode Linux";
#endif
  auto three_guests = options({"plain-call", "swap-call", "swap-call-sender"});
  three_guests.lanes = 1;
  if (!std::filesystem::exists(three_guests.programs.call_kernel))
    GTEST_SKIP() << "socket_swap(2): kernel/build makes the kernel that has it";
  const auto results = run(three_guests);
  ASSERT_TRUE(results) << results.error().text();
  expect_measured(*results);
}

TEST_F(Thesis, ItsFilesAreWritten) {
  auto some = options({"plain", "swap"});
  some.rate = 0;
  const auto results = run(some);
  ASSERT_TRUE(results) << results.error().text();
  const auto folder = lab::Scratch::make("sockswap-thesis-test").value();
  ASSERT_TRUE(write(*results, folder.path() / "results", "some"));
  for (const char* name : {"some.md", "some-bars.svg", "some-plain.svg", "some-swap.svg"})
    EXPECT_GT(std::filesystem::file_size(folder.path() / "results" / name), 500u) << name;
}

TEST_F(Thesis, AnUnknownRowIsRefused) {
  const auto results = run(options({"plain", "mosix"}));
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error().code, ErrorCode::usage);
  EXPECT_THAT(results.error().message, HasSubstr("mosix"));
  EXPECT_THAT(results.error().hint, HasSubstr("relay-kernel"));
}

// The end's program is what checks the bytes of every row.
class Receiver : public ::testing::Test {
 protected:
  static lab::Output receive(const std::filesystem::path& file, std::uint64_t from) {
    auto process =
        lab::Process::spawn({.argv = {THESIS_END, "receive", "stdin", "--from", std::to_string(from)},
                             .in = lab::Stdio::file(file.string()),
                             .out = lab::Stdio::pipe(),
                             .err = lab::Stdio::pipe()});
    return process.value().finish().value();
  }
};

TEST_F(Receiver, TakesWhatWasSent) {
  const Payload payload = Payload::make(1 << 20).value();
  const lab::Output output = receive(payload.path(), 0);
  EXPECT_TRUE(output.status.ok()) << output.err;
  EXPECT_THAT(output.out, HasSubstr("\"bytes\":1048576"));
}

TEST_F(Receiver, NoticesALostByte) {
  const Payload payload = Payload::make(1 << 20).value();
  const lab::Output output = receive(payload.path(), 1);
  EXPECT_FALSE(output.status.ok());
  EXPECT_THAT(output.err, HasSubstr("wrong bytes"));
}

TEST_F(Receiver, NoticesAChangedByte) {
  const Payload payload = Payload::make(1 << 20).value();
  std::fstream file(payload.path());
  file.seekp(700'001);
  file.put('\x7f');
  file.close();
  const lab::Output output = receive(payload.path(), 0);
  EXPECT_FALSE(output.status.ok());
  EXPECT_THAT(output.err, HasSubstr("wrong bytes"));
}

}  // namespace
}  // namespace sockswap::thesis
