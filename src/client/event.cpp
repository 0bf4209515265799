#include "client/event.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

#include "wire/endpoints.h"

namespace sockswap::client {
namespace {

Result<int> family_of(const Fd& socket, const FourTuple& tuple, const Endpoint& former) {
  int family = 0;
  socklen_t size = sizeof family;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0)
    return system_failure(errno, "a descriptor that arrived is not a socket");
  const bool fits = family == AF_INET6 || (family == AF_INET && tuple.local.address.is_v4() &&
                                           tuple.remote.address.is_v4() && former.address.is_v4());
  if (!fits)
    return failure(ErrorCode::internal, fmt::format("an end of family {} can't be {}", family, tuple.text()));
  return family;
}

Result<Event> arrival(const wire::Arrival& message, Incoming& incoming) {
  const auto count = static_cast<std::size_t>(message.ends_size());
  if (count != incoming.fds.size())
    return failure(ErrorCode::internal,
                   fmt::format("{} ends arrived with {} descriptors", count, incoming.fds.size()));
  if (incoming.attachments.size() > 1)
    return failure(ErrorCode::internal, "an arrival with more than one state");
  Event event;
  event.kind = Event::Kind::arrival;
  event.host = message.from();
  if (!incoming.attachments.empty()) event.state = std::move(incoming.attachments.front());
  for (std::size_t i = 0; i < count; ++i) {
    const wire::Arrival::End& end = message.ends(static_cast<int>(i));
    SOCKSWAP_TRY(const FourTuple tuple, wire::from_message(end.tuple()));
    SOCKSWAP_TRY(const Endpoint former, wire::from_message(end.former_local()));
    SOCKSWAP_TRY(const int family, family_of(incoming.fds[i], tuple, former));
    event.ends.push_back({tuple, former, family, std::move(incoming.fds[i])});
  }
  return event;
}

// The message doesn't say which family the program's socket has: IPv4 is spelled as IPv4.
Result<Event> hand_over(const wire::HandOver& message) {
  SOCKSWAP_TRY(const FourTuple tuple, wire::from_message(message.tuple()));
  const bool v4 = tuple.local.address.is_v4() && tuple.remote.address.is_v4();
  Event event;
  event.kind = Event::Kind::hand_over;
  event.host = message.to();
  event.receiver = message.receiver();
  event.number = message.number();
  event.ends.push_back({tuple, tuple.local, v4 ? AF_INET : AF_INET6, Fd{}});
  return event;
}

}  // namespace

Result<Event> Event::from(Incoming incoming) {
  if (incoming.reply.has_arrival()) return arrival(incoming.reply.arrival(), incoming);
  return hand_over(incoming.reply.hand_over());
}

}  // namespace sockswap::client
