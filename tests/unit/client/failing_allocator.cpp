#include "failing_allocator.h"

#include <cstdlib>
#include <new>

namespace {

thread_local long allocations_left = -1;  // negative: no limit

}  // namespace

namespace sockswap::client_test {

AllocationBudget::AllocationBudget(long budget) { allocations_left = budget; }
AllocationBudget::~AllocationBudget() { allocations_left = -1; }

}  // namespace sockswap::client_test

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(std::size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (void* const memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
