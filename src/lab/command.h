// What to start on a host, as values.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace sockswap::lab {

// Where a program's standard stream leads.
struct Stdio {
  enum class Kind { inherit, null, pipe, file, descriptor };

  Kind kind = Kind::null;
  std::string path = {};  // of a file, as seen inside; output is appended, input read
  int fd = -1;            // of a descriptor of this process's, open until the program is started

  static Stdio inherit() { return {Kind::inherit}; }
  static Stdio null() { return {Kind::null}; }
  static Stdio pipe() { return {Kind::pipe}; }
  static Stdio file(std::string path) { return {Kind::file, std::move(path)}; }
  static Stdio descriptor(int fd) { return {Kind::descriptor, {}, fd}; }
};

struct User {
  uid_t uid;
  gid_t gid;
};

struct Command {
  std::vector<std::string> argv = {};  // argv[0] is looked up in PATH
  std::vector<std::string> env = {};   // "KEY=value", added to this process's environment
  Stdio in = Stdio::null();
  Stdio out = Stdio::inherit();
  Stdio err = Stdio::inherit();
  std::optional<User> user = {};  // whose rights it has, with no supplementary groups; none: this process's
  std::string cwd = "/";
};

// How a program ended.
struct ExitStatus {
  int code = 0;    // as given to exit()
  int signal = 0;  // that killed it, or 0

  bool ok() const { return code == 0 && signal == 0; }
  std::string text() const;  // "exit status 3", "killed by signal 9"
  bool operator==(const ExitStatus&) const = default;
};

struct Output {
  ExitStatus status;
  std::string out;
  std::string err;
};

}  // namespace sockswap::lab
