// socket_swap(2) on a kernel that hasn't got it, and its errors. The call itself is tried in a lab
// (Thesis.RowsWithTheCall), on a kernel that has it.
#include "socket/in_place.h"

#include <gtest/gtest.h>

#include "unit/socket/failing_kernel.h"

namespace sockswap::test {
namespace {

TEST(InPlace, AStockKernelHasNoSuchCall) {
  FailingKernel kernel;
  kernel.fail_at(1, ENOSYS);
  const auto looked = socket::look(kernel, 0);
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().code, ErrorCode::unsupported);
  EXPECT_EQ(kernel.calls(), 1) << "and nothing else was tried";
}

TEST(InPlace, EndsOfTwoConnectionsDisagree) {
  FailingKernel kernel;
  kernel.fail_at(1, EBADE);
  const auto swapped = socket::swap_in_place(kernel, 0, {}, {}, *Endpoint::parse("10.0.0.1:80"));
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().code, ErrorCode::disagreement);
}

}  // namespace
}  // namespace sockswap::test
