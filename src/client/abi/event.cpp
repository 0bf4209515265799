// What an event tells. None of these can fail but for an index out of range.
#include "client/abi/handle.h"

using namespace sockswap;
using namespace sockswap::client;

namespace {

void spell(const Endpoint& endpoint, int family, sockaddr_storage* to) {
  if (to != nullptr) endpoint.to_sockaddr(family, *to);
}

}  // namespace

void sockswap_event_free(sockswap_event* event) { delete event; }

enum sockswap_event_kind sockswap_event_kind_of(const sockswap_event* event) {
  return event->event.kind == Event::Kind::arrival ? SOCKSWAP_ARRIVAL : SOCKSWAP_HAND_OVER;
}

size_t sockswap_event_count(const sockswap_event* event) { return event->event.ends.size(); }

int sockswap_event_take_fd(sockswap_event* event, size_t index) {
  return index < event->event.ends.size() ? event->event.ends[index].fd.release() : -1;
}

int sockswap_event_addresses(const sockswap_event* event, size_t index, sockaddr_storage* local,
                             sockaddr_storage* remote, sockaddr_storage* former_local) {
  if (index >= event->event.ends.size()) return -SOCKSWAP_USAGE;
  const Event::End& end = event->event.ends[index];
  spell(end.tuple.local, end.family, local);
  spell(end.tuple.remote, end.family, remote);
  spell(end.former_local, end.family, former_local);
  return 0;
}

const void* sockswap_event_state(const sockswap_event* event, size_t* size) {
  const Bytes& state = event->event.state;
  if (size != nullptr) *size = state.size();
  return state.empty() ? nullptr : state.data();
}

const char* sockswap_event_host(const sockswap_event* event) { return event->event.host.c_str(); }
const char* sockswap_event_receiver(const sockswap_event* event) { return event->event.receiver.c_str(); }
uint64_t sockswap_event_hand_over(const sockswap_event* event) { return event->event.number; }
