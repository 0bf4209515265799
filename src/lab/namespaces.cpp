#include "lab/namespaces.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include <cerrno>
#include <utility>

namespace sockswap::lab {

Result<std::unique_ptr<NamespaceThread>> NamespaceThread::start(std::function<Result<>()> enter) {
  std::unique_ptr<NamespaceThread> thread(new NamespaceThread);
  // Signals are for the owner's threads.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread->thread_ = std::thread(&NamespaceThread::work, thread.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  SOCKSWAP_CHECK(thread->run(enter));
  return thread;
}

NamespaceThread::~NamespaceThread() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void NamespaceThread::submit(std::function<void()> job) {
  {
    const std::scoped_lock lock(mutex_);
    jobs_.push(std::move(job));
  }
  changed_.notify_one();
}

void NamespaceThread::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const auto job = std::move(jobs_.front());
    jobs_.pop();
    lock.unlock();
    job();
  }
}

Result<> leave_the_machine() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
    return system_failure(errno, "make namespaces for the lab", ErrorCode::unsupported);
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return system_failure(errno, "make the lab's mounts private");
  if (::mount("lab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0)
    return system_failure(errno, "mount a private /run for the lab");
  return {};
}

Result<> join(const Fd& pidfd) {
  // setns(CLONE_NEWNS) refuses a thread that shares its working folder with others.
  if (::unshare(CLONE_FS) != 0) return system_failure(errno, "leave the process's working folder");
  if (::setns(pidfd.get(), CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID) != 0)
    return system_failure(errno, "enter the host's namespaces", ErrorCode::unsupported);
  return {};
}

}  // namespace sockswap::lab
