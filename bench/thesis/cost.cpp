#include "cost.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace sockswap::thesis {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

double busy_seconds() {
  // proc_stat(5): user nice system idle iowait irq softirq …, in ticks.
  std::ifstream stat("/proc/stat");
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, softirqs = 0;
  stat >> cpu >> user >> nice >> system >> idle >> waiting >> interrupts >> softirqs;
  rusage own{};
  ::getrusage(RUSAGE_SELF, &own);
  return (user + nice + system + interrupts + softirqs) / static_cast<double>(::sysconf(_SC_CLK_TCK)) -
         seconds(own.ru_utime) - seconds(own.ru_stime);
}

Result<Passing> Passing::watch(lab::Host& host, std::uint16_t port) {
  Passing passing;
  for (const lab::PacketFilter& filter :
       {lab::PacketFilter{.source_port = port}, lab::PacketFilter{.destination_port = port}}) {
    SOCKSWAP_TRY(lab::PacketCounter counter, host.count(filter));
    passing.counters_.push_back(std::move(counter));
  }
  return passing;
}

Result<std::uint64_t> Passing::bytes() const {
  std::uint64_t sum = 0;
  for (const lab::PacketCounter& counter : counters_) {
    SOCKSWAP_TRY(const std::uint64_t bytes, counter.bytes());
    sum += bytes;
  }
  return sum;
}

}  // namespace sockswap::thesis
