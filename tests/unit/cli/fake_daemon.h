// A daemon that says what a test wants: the real control protocol on a real UNIX socket.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "wire/control.pb.h"

namespace sockswap::cli {

// One end of a client's connection.
class Speaker {
 public:
  Speaker(int socket, std::uint64_t number) : socket_(socket), number_(number) {}
  void say(wire::Reply reply) const;  // as the answer to the request
  void say(wire::Reply reply, std::uint64_t number) const;
  bool say_bytes(std::string_view bytes) const;  // false: the client has gone
  void hang_up() const;

 private:
  int socket_;
  std::uint64_t number_;
};

class FakeDaemon {
 public:
  using Script = std::function<void(const wire::Request&, const Speaker&)>;

  // Serves one client at a time until it is destroyed; `script` runs in the daemon's thread.
  explicit FakeDaemon(Script script);
  explicit FakeDaemon(wire::Reply always);
  ~FakeDaemon();

  const std::string& path() const { return path_; }
  std::vector<wire::Request> requests() const;  // so far

 private:
  void serve();
  void serve_client(int client);

  Script script_;
  std::string folder_;
  std::string path_;
  Fd listener_;
  mutable std::mutex mutex_;
  std::vector<wire::Request> requests_;
  std::thread thread_;
};

wire::Reply failed(unsigned code, const std::string& message, const std::string& hint);

}  // namespace sockswap::cli
