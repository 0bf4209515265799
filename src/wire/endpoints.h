// Endpoints and 4-tuples to and from their messages. Reading checks: what comes out is valid.
#pragma once

#include "base/endpoint.h"
#include "wire/common.pb.h"

namespace sockswap::wire {

Result<sockswap::Endpoint> from_message(const wire::Endpoint& message);
Result<sockswap::FourTuple> from_message(const wire::FourTuple& message);
void to_message(const sockswap::Endpoint& endpoint, wire::Endpoint& message);
void to_message(const sockswap::FourTuple& tuple, wire::FourTuple& message);

}  // namespace sockswap::wire
