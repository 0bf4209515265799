// The threads of io_uring inside a process.
//
//   iou-sqp-*  polls the submission queue (IORING_SETUP_SQPOLL) and does what never blocks. It stops
//              for a tracer as any thread does.
//   iou-wrk-*  does what would block: files mostly, since sockets are polled for. A tracer's stop would
//              end that with EINTR, and the program would see it. So a busy worker is waited for, or
//              refused. Idle ones linger, the last one as long as its ring.
//
// Both are threads of the process since Linux 5.12.
#pragma once

#include <string>

#include "base/result.h"

namespace sockswap::process {

// Is this an iou-wrk thread? `folder`: its /proc/PID/task/TID.
Result<bool> is_io_worker(int folder);

// not_movable if that worker is at work; `owner` names the process.
Result<> check_idle(int folder, const std::string& owner);

}  // namespace sockswap::process
