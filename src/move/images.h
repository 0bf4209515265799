// Images and positions to and from their messages.
#pragma once

#include "base/result.h"
#include "socket/image.h"
#include "wire/session.pb.h"

namespace sockswap::move {

std::uint32_t to_message(int family);  // AF_INET -> 4, AF_INET6 -> 6
Result<int> family_from_message(std::uint32_t family);

void to_message(const socket::Position& position, wire::Position& message);
socket::Position from_message(const wire::Position& message);

// Without the queues. An image on its way has nothing in flight: its `sent` is empty.
void to_message(const socket::Image& image, wire::Image& message);

// Takes the queues from the attachments; validated: what comes out can be handed to rebuild().
Result<socket::Image> from_message(const wire::Image& message, Bytes received, Bytes unsent);

}  // namespace sockswap::move
