#include "wire/endpoints.h"

#include <fmt/format.h>

#include <limits>

namespace sockswap::wire {

Result<sockswap::Endpoint> from_message(const wire::Endpoint& message) {
  SOCKSWAP_TRY(const Address address, Address::from_bytes(view_of(message.address())));
  if (message.port() > std::numeric_limits<std::uint16_t>::max())
    return failure(ErrorCode::usage, fmt::format("{} is not a port", message.port()));
  return sockswap::Endpoint{address, static_cast<std::uint16_t>(message.port())};
}

Result<sockswap::FourTuple> from_message(const wire::FourTuple& message) {
  SOCKSWAP_TRY(const sockswap::Endpoint local, from_message(message.local()));
  SOCKSWAP_TRY(const sockswap::Endpoint remote, from_message(message.remote()));
  return sockswap::FourTuple{local, remote};
}

void to_message(const sockswap::Endpoint& endpoint, wire::Endpoint& message) {
  message.set_address(std::string(text_of(endpoint.address.bytes())));
  message.set_port(endpoint.port);
}

void to_message(const sockswap::FourTuple& tuple, wire::FourTuple& message) {
  to_message(tuple.local, *message.mutable_local());
  to_message(tuple.remote, *message.mutable_remote());
}

}  // namespace sockswap::wire
