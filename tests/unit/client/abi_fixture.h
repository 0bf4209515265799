// An open handle on a test daemon.
#pragma once

#include <gtest/gtest.h>
#include <sockswap/sockswap.h>

#include <memory>
#include <string>

#include "test_daemon.h"

namespace sockswap::client_test {

class Abi : public ::testing::Test {
 protected:
  void start(TestDaemon::Script script) {
    daemon_ = std::make_unique<TestDaemon>(std::move(script));
    sockswap_options options{};
    options.size = sizeof options;
    options.control_socket = daemon_->path().c_str();
    ASSERT_EQ(sockswap_open(&options, &s), 0) << sockswap_error_text(s);
  }
  void TearDown() override {
    sockswap_close(s);
    daemon_.reset();
  }
  int move(int fd, const std::string& state = {}, const sockswap_move_options* options = nullptr,
           sockswap_move_result* result = nullptr) {
    return sockswap_move(s, &fd, 1, "gamma", "chat", state.data(), state.size(), options, result);
  }
  std::string text() const { return sockswap_error_text(s); }

  sockswap_handle* s = nullptr;

 private:
  std::unique_ptr<TestDaemon> daemon_;
};

}  // namespace sockswap::client_test
