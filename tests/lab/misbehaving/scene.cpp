#include "scene.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "lab/faults/left_behind.h"

namespace sockswap::test {
namespace {

namespace fs = std::filesystem;

constexpr auto look_every = 5ms;
constexpr auto some_is_said = 100ms;  // by both, at 1 MB/s
constexpr auto settles_within = 40s;  // as in the table of faults

void must(Result<> done) {
  if (!done) throw std::runtime_error(done.error().text() + " " + done.error().hint);
}

}  // namespace

void Misbehaving::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "root is missing: a lab needs namespaces of its own";
  auto lab = lab::Lab::create(
      {.name = "misbehave", .hosts = {{.name = "origin"}, {.name = "destination"}, {.name = "peer"}}});
  if (!lab) throw std::runtime_error(lab.error().text());
  lab_.emplace(*std::move(lab));
  must(lab::make_members(*lab_));
}

void Misbehaving::TearDown() {
  if (!HasFailure() || !lab_) return;
  for (const char* role : roles) {
    const auto moves = host(role).run({SOCKSWAP, "moves", "--json"});
    const auto log = host(role).run({"tail", "-n", "15", "/run/sockswapd.log"});
    if (moves && log) GTEST_LOG_(INFO) << role << ":\n" << moves->out << log->out;
  }
}

void Misbehaving::start_daemon(const std::string& role, const std::vector<std::string>& traps) {
  std::vector<std::string> arguments;
  for (const std::string& trap : traps)
    if (trap.starts_with(role + ":")) arguments.insert(arguments.end(), {"--trap", trap});
  auto daemon = host(role).start_daemon(SOCKSWAPD, std::move(arguments));
  if (!daemon) throw std::runtime_error(daemon.error().text() + " " + daemon.error().hint);
  daemons_.insert_or_assign(role, *std::move(daemon));
}

void Misbehaving::begin(const std::vector<std::string>& traps, std::size_t state_bytes) {
  for (const char* role : roles) start_daemon(role, traps);
  talk_again(state_bytes);
}

std::unique_ptr<Talk> Misbehaving::new_talk(std::size_t state_bytes) {
  auto talk = std::make_unique<Talk>();
  const std::string number = std::to_string(++talks_), at = std::to_string(++port_);
  must(
      talk->receiving.start(host("destination"), "receiving" + number, {FAULT_END, "receive", "r" + number}));
  must(
      talk->moving.start(host("origin"), "moving" + number,
                         {MISBEHAVER, "move", at, "destination", "r" + number, std::to_string(state_bytes)}));
  await_word(talk->moving, "listening");
  await_word(talk->receiving, "ready");
  must(talk->staying.start(host("peer"), "staying" + number,
                           {MISBEHAVER, "stay", host("origin").v4().text(), at}));
  await_word(talk->moving, "connected");
  await_word(talk->staying, "connected");
  std::this_thread::sleep_for(some_is_said);
  return talk;
}

Endpoint Misbehaving::moving_end() { return {host("origin").v4(), port_}; }

Endpoint Misbehaving::staying_end() {
  const std::string said = *talk().staying.said("connected");
  return {host("peer").v4(), static_cast<std::uint16_t>(std::stoi(said.substr(said.rfind(' '))))};
}

pid_t Misbehaving::keeper(const std::string& role) {
  const pid_t pid = faults::keeper_of(host(role));
  if (pid < 0) throw std::runtime_error(role + " has no keeper");
  return pid;
}

void Misbehaving::await(const std::string& what, const std::function<bool()>& holds,
                        std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (; !holds(); std::this_thread::sleep_for(look_every))
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("it never came: " + what);
}

void Misbehaving::await_word(faults::Voice& who, const std::string& word) {
  await("'" + word + "'", [&] {
    who.listen();
    return who.said(word).has_value();
  });
}

void Misbehaving::go() { must(talk().moving.tell("go")); }

void Misbehaving::await_trap(const std::string& role) {
  await(role + " at its step", [&] { return faults::is_stopped(daemon(role)); });
}

void Misbehaving::release(const std::string& role) { must(daemons_.at(role).kill(SIGCONT)); }

std::string Misbehaving::await_outcome() {
  faults::Voice& moving = talk().moving;
  std::string outcome;
  await("what became of the end", [&] {
    moving.listen();
    outcome = moving.take_first({"moved", "undone", "lost", "broken"}).value_or("");
    return !outcome.empty();
  });
  return outcome;
}

void Misbehaving::expect_outcome(const std::string& beginning) {
  const std::string told = await_outcome();
  EXPECT_TRUE(told.starts_with(beginning)) << "it was told '" << told << "'";
}

void Misbehaving::expect_settled() {
  std::vector<std::string> left;
  const auto settled = [&] {
    left.clear();
    for (const char* role : roles)
      for (std::string& complaint : faults::unsettled(host(role), SOCKSWAP))
        left.push_back(std::move(complaint));
    return left.empty();
  };
  const auto until = std::chrono::steady_clock::now() + settles_within;
  while (!settled() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(left.empty()) << fmt::format("{}", fmt::join(left, "; "));
}

void Misbehaving::expect_whole(faults::Voice& owner, faults::Voice& staying) {
  must(owner.tell("end"));
  for (faults::Voice* voice : {&owner, &staying})
    await("the end of the stream", [&] {
      voice->listen();
      return voice->said("end") || voice->said("broken") || voice->ended();
    });
  const auto words = [](const faults::Voice& voice) {
    return voice.said("end").value_or(voice.said("broken").value_or(voice.ended().value_or("nothing")));
  };
  const auto moving = soak::end_of(words(owner)), still = soak::end_of(words(staying));
  ASSERT_TRUE(moving && still) << "the moving end said '" << words(owner) << "', the staying one '"
                               << words(staying) << "'";
  EXPECT_GT(moving->sent, 0U);
  EXPECT_GT(still->sent, 0U);
  EXPECT_EQ(moving->sent, still->received);
  EXPECT_EQ(still->sent, moving->received);
}

void Misbehaving::expect_hears_the_end(faults::Voice& who) {
  await("that the other end is gone", [&] {
    who.listen();
    return who.said("broken") || who.said("end") || who.ended();
  });
  EXPECT_FALSE(who.ended()) << *who.ended();
  EXPECT_EQ(who.said("broken").value_or("").find("is wrong"), std::string::npos) << *who.said("broken");
}

void Misbehaving::expect_another_move() {
  for (auto& [role, daemon] : daemons_)
    ASSERT_TRUE(daemon.running()) << role << ": " << daemon.wait()->text();
  talk_again();
  go();
  EXPECT_EQ(await_outcome(), "moved");
  await_word(talk().receiving, "arrived");
  expect_whole(talk().receiving);
  expect_settled();
}

bool Misbehaving::reached(const std::string& role, const std::string& step) {
  const auto listed = host(role).run({SOCKSWAP, "moves", "--json"});
  const auto json = nlohmann::json::parse(listed ? listed->out : "", nullptr, false);
  if (json.is_discarded() || json["moves"].empty()) return false;
  const auto& steps = json["moves"].back()["steps"];
  return std::ranges::any_of(steps, [&](const auto& each) { return each["name"] == step; });
}

char Misbehaving::state_of(pid_t pid) {
  std::string stat;
  std::getline(std::ifstream(fmt::format("/proc/{}/stat", pid)), stat);
  const auto at = stat.rfind(") ");
  return at == std::string::npos ? '?' : stat[at + 2];
}

pid_t Misbehaving::only_child_of(pid_t pid) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid));
  pid_t child = -1, another = -1;
  if (!(children >> child) || children >> another) throw std::runtime_error("it has no child, or several");
  return child;
}

int Misbehaving::connections_of(pid_t pid) {
  int count = 0;
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::error_code gone;
  for (fs::directory_iterator it(fmt::format("/proc/{}/fd", pid), gone), end; !gone && it != end;
       it.increment(gone)) {
    const Fd fd(
        static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), std::stoi(it->path().filename()), 0)));
    int protocol = 0;
    socklen_t size = sizeof protocol;
    if (!fd || ::getsockopt(fd.get(), SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0) continue;
    sockaddr_storage peer{};
    size = sizeof peer;
    if (protocol == IPPROTO_TCP && ::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0)
      ++count;
  }
  return count;
}

}  // namespace sockswap::test
