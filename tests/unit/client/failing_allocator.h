// Want of memory on demand, for the calling thread only.
#pragma once

namespace sockswap::client_test {

// A sanitizer brings an operator new of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool can_fail_allocations = false;
#else
inline constexpr bool can_fail_allocations = true;
#endif

// While it lives, `budget` allocations of this thread succeed and the next ones throw std::bad_alloc.
class AllocationBudget {
 public:
  explicit AllocationBudget(long budget);
  ~AllocationBudget();
};

}  // namespace sockswap::client_test
