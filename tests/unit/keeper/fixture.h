// A real keeper, whose daemon the test is; a connection between the test and a program that knows nothing of
// it; and a whole move of the test's end, of which this host has all three roles.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "child.h"
#include "keep/client.h"

namespace sockswap::keeper {

using namespace std::chrono_literals;
using process::can_trace;

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  ADD_FAILURE() << result.error().text();
  throw std::runtime_error(result.error().text());
}
inline void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().text());
}
template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result ? ErrorCode::ok : result.error().code;
}

class KeeperProcess {
 public:
  explicit KeeperProcess(std::vector<std::string> more_arguments = {});
  ~KeeperProcess();

  keep::Client connect() const;
  Fd connect_raw() const;  // somebody who may connect, and says what they like
  std::filesystem::path folder() const { return folder_; }
  std::filesystem::path socket() const { return folder_ / "keeper.sock"; }
  pid_t pid() const { return pid_; }
  void signal(int number) const;
  int await_exit();  // the wait status
  bool running();

 private:
  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

// A program that echoes what it reads, and counts its rounds.
std::unique_ptr<process::Child> echoing_program();
std::string talk_with(int fd, const std::string& words);  // what comes back within the patience

// The test's end of its connection with a program, on its way to another socket of this host.
class Move {
 public:
  Move(keep::Client& client, const process::Child& program);

  void find() const;
  void freeze();
  void reserve();
  Result<keep::HeldStaying> hold(keep::Arbiter arbiter = keep::Arbiter::here) const;
  void rebuild() const;
  // All of it up to the swap.
  void prepare() {
    find();
    reserve();
    freeze();
    must(hold());
    rebuild();
  }
  Fd let_go() const;

  move::MoveId id{};
  keep::Client* client;
  Fd moving;         // the old end
  FourTuple tuple;   // as the moving end sees it
  Endpoint arrived;  // where the moving end will live
  std::vector<keep::FrozenMoving> frozen;
};

std::vector<std::pair<wire::Role, keep::Stage>> kept(keep::Client& client);

}  // namespace sockswap::keeper
