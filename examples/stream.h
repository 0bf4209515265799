// What the receiver knows of its stream: a plain struct, so that it can travel as it is. Prints one JSON line
// an event; times are CLOCK_MONOTONIC nanoseconds.
#pragma once

#include <nettle/sha2.h>

#include <cstdint>
#include <cstdio>
#include <ctime>

inline std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

struct Stream {
  std::uint64_t bytes = 0;
  std::uint64_t moves = 0;
  std::uint64_t last_byte_ns = 0;  // when bytes were read last
  std::uint64_t hashing = 1;
  sha256_ctx hash{};

  Stream() { sha256_init(&hash); }

  void take(const std::uint8_t* data, std::size_t size) {
    last_byte_ns = now_ns();
    bytes += size;
    if (hashing) sha256_update(&hash, size, data);
  }

  void print(const char* event) const {
    std::printf("{\"event\":\"%s\",\"at_ns\":%ju,\"bytes\":%ju,\"moves\":%ju,\"last_byte_ns\":%ju}\n", event,
                now_ns(), bytes, moves, last_byte_ns);
    std::fflush(stdout);
  }

  void print_end() {
    std::uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&hash, sizeof digest, digest);
    std::printf("{\"event\":\"end\",\"bytes\":%ju,\"sha256\":\"", bytes);
    for (const unsigned octet : digest)
      if (hashing) std::printf("%02x", octet);
    std::printf("\",\"moves\":%ju}\n", moves);
  }
};
