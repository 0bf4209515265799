#include "process/pause.h"

#include <chrono>
#include <utility>

#include "process/eintr.h"
#include "process/tracer_thread.h"

namespace sockswap::process {

Pauser::Pauser(std::unique_ptr<TracerThread> thread) : thread_(std::move(thread)) {}
Pauser::Pauser(Pauser&&) noexcept = default;
Pauser& Pauser::operator=(Pauser&&) noexcept = default;
Pauser::~Pauser() = default;

Result<Pauser> Pauser::make() {
  SOCKSWAP_CHECK(check_eintr_cure());
  SOCKSWAP_TRY(auto thread, TracerThread::start());
  return Pauser(std::move(thread));
}

Paused::Paused(std::unique_ptr<TracerThread> thread) : thread_(std::move(thread)) {}
Paused::Paused(Paused&&) noexcept = default;
Paused& Paused::operator=(Paused&&) noexcept = default;
Paused::~Paused() = default;

Result<Paused> Paused::pause(Pauser pauser, std::span<const Holder> holders,
                             std::span<const std::uint32_t> inodes, std::chrono::milliseconds deadline) {
  SOCKSWAP_CHECK(pauser.thread_->stop(holders, inodes, std::chrono::steady_clock::now() + deadline));
  return Paused(std::move(pauser.thread_));
}

Result<Paused> Paused::pause(std::span<const Holder> holders, std::span<const std::uint32_t> inodes,
                             std::chrono::milliseconds deadline) {
  SOCKSWAP_TRY(Pauser pauser, Pauser::make());
  return pause(std::move(pauser), holders, inodes, deadline);
}

Result<> Paused::resume() {
  if (!thread_) return failure(ErrorCode::usage, "nothing is paused");
  thread_->let_go();
  thread_.reset();
  return {};
}

bool Paused::empty() const { return !thread_ || thread_->all_dead(); }

}  // namespace sockswap::process
