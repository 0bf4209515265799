// The demonstration: an unmodified program on alpha sends a real file to the example receiver on beta; in
// mid-stream the receiving end moves beta -> gamma -> beta -> gamma while it runs. Three virtual hosts, real
// daemons, real certificates. Needs root.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/guest/guest.h"

namespace sockswap::demo {

struct Options {
  std::uint64_t megabytes = 400;       // of the file, 10^6 bytes each
  std::uint64_t rate = 1'000'000'000;  // of every link, bits a second; 0: as fast as the machine goes
  std::vector<std::string> programs = {"socat", "nc"};
  std::filesystem::path chart_folder = ".";             // demo-PROGRAM.svg is written here
  std::vector<std::string> guests = {};                 // hosts with a kernel of their own
  lab::GuestOptions guest = {};                         // what kernel that is
  std::filesystem::path sockswapd, sockswap, receiver;  // the programs under demonstration
};

// A step of a move, as a daemon timed it.
struct Step {
  std::string name;
  double at_us = 0;  // since the move began at its origin
};

struct Move {
  std::string from, to;
  std::uint64_t at_bytes = 0;  // how far the stream was
  double at_ms = 0;            // since the transfer began
  double pause_ms = 0;         // as the receiver saw it: last byte there to first byte here
  double frozen_ms = 0;        // as the daemons timed it
  std::vector<Step> steps;
  std::uint64_t packets_at_former_host = 0;  // afterwards, at the interface of the host it left
};

// Bytes received up to a moment.
struct Sample {
  double at_ms = 0;
  std::uint64_t bytes = 0;
};

struct Transfer {
  std::string program;  // the sender's name
  std::uint64_t bytes_sent = 0, bytes = 0;
  std::string sha256_sent, sha256_received;
  std::vector<Move> moves;
  std::vector<Sample> samples;
  std::uint64_t packets_at_former_host = 0;
  std::uint64_t resets = 0;  // RST segments at any host's interface
  std::filesystem::path chart;
  std::uint64_t rate = 0;

  bool holds() const {
    return bytes == bytes_sent && sha256_sent == sha256_received && packets_at_former_host == 0 &&
           resets == 0;
  }
};

// Runs it, with live progress on stderr.
Result<std::vector<Transfer>> run(const Options& options);

// One screen, and the same as one JSON object (its keys are in docs/commands.md).
std::string screen(const std::vector<Transfer>& transfers);
std::string json(const std::vector<Transfer>& transfers);

}  // namespace sockswap::demo
