// Error to and from its message.
#pragma once

#include "base/error.h"
#include "wire/common.pb.h"

namespace sockswap::wire {

sockswap::Error from_message(const wire::Error& message);
void to_message(const sockswap::Error& error, wire::Error& message);

}  // namespace sockswap::wire
