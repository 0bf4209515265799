#include "kernel.h"

#include <fmt/format.h>

#include <algorithm>

namespace sockswap::simulation {
namespace {

constexpr std::size_t most_queued = 40;  // bytes; enough for every case, and cheap

void remove_front(Bytes& bytes, std::size_t count) {
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

Address Kernels::address(int host) { return Address::parse(fmt::format("10.0.0.{}", host + 1)).value(); }

int Kernels::host_of(const Address& address) { return static_cast<int>(address.bytes().back()) - 1; }

void Kernels::add_connection() {
  for (int side = 0; side < 2; ++side) {
    const std::size_t number = parties_.size();
    parties_.push_back(
        std::make_unique<Party>(Party{.number = number, .key = static_cast<std::uint8_t>(31 * number + 1)}));
  }
}

std::shared_ptr<End> Kernels::make(int host, const FourTuple& tuple, Party* party) {
  auto end = std::make_shared<End>();
  end->host = host;
  end->tuple = tuple;
  end->party = party;
  ends_.push_back(end);
  return end;
}

socket::Image Kernels::capture(const End& end) const {
  socket::Image image;
  image.tuple = end.tuple;
  image.timestamp = static_cast<std::uint32_t>(end.party->number);
  image.family = 2;  // AF_INET
  image.position = {
      .snd_una = end.snd_una, .snd_nxt = end.snd_nxt, .write_end = end.write_end(), .rcv_nxt = end.rcv_nxt};
  image.negotiated = {.mss_clamp = 1460, .sack = true};
  image.window = {.snd_wl1 = end.rcv_nxt,
                  .snd_wnd = 65535,
                  .max_window = 65535,
                  .rcv_wnd = 65535,
                  .rcv_wup = end.rcv_nxt};
  image.buffers = {.send = 87380, .receive = 87380};
  image.received = end.received;
  const auto sent = static_cast<std::ptrdiff_t>(end.snd_nxt.since(end.snd_una));
  image.sent.assign(end.queued.begin(), end.queued.begin() + sent);
  image.unsent.assign(end.queued.begin() + sent, end.queued.end());
  return image;
}

void Kernels::rebuild(End& end, const socket::Image& image, const FourTuple& tuple) {
  end.tuple = tuple;
  end.snd_una = image.position.snd_una;
  end.snd_nxt = image.position.snd_nxt;
  end.rcv_nxt = image.position.rcv_nxt;
  end.received = image.received;
  end.queued = image.sent;
  end.queued.insert(end.queued.end(), image.unsent.begin(), image.unsent.end());
}

void Kernels::thaw(End& end) {
  end.state = End::State::live;
  end.held_up = false;
  end.paused_until.reset();
  acknowledge(end);
}

void Kernels::remove(End& end) {
  end.state = End::State::gone;
  std::erase_if(ends_, [&](const auto& each) { return each.get() == &end; });
}

void Kernels::power_off(int host) {
  up_[static_cast<std::size_t>(host)] = false;
  for (const auto& end : ends_)
    if (end->host == host) end->state = End::State::gone;
  std::erase_if(ends_, [&](const auto& end) { return end->host == host; });
}

End* Kernels::find(const FourTuple& tuple, int host) {
  for (const auto& end : ends_)
    if (end->host == host && end->tuple == tuple) return end.get();
  return nullptr;
}

void Kernels::write(End& end, std::size_t size) {
  if (end.reset) return;
  while (size-- > 0 && end.queued.size() < most_queued)
    end.queued.push_back(end.party->at(end.party->written++));
}

void Kernels::read(End& end, std::size_t size) {
  size = std::min(size, end.received.size());
  const Party& other = *parties_[end.party->number ^ 1];
  for (std::size_t i = 0; i < size; ++i)
    if (end.received[i] != other.at(end.party->read + i) && !wrong_)
      wrong_ =
          fmt::format("{} read something else at {} of the stream", end.tuple.text(), end.party->read + i);
  end.party->read += size;
  remove_front(end.received, size);
}

// The other side learns how far this end has received.
void Kernels::acknowledge(const End& by) {
  const int to = host_of(by.tuple.remote.address);
  End* other = find(by.tuple.flipped(), to);
  if (other == nullptr || other->state == End::State::frozen) return;
  const auto ahead = by.rcv_nxt.since(other->snd_una);
  if (ahead <= 0 || static_cast<std::size_t>(ahead) > other->queued.size()) return;
  remove_front(other->queued, static_cast<std::size_t>(ahead));
  other->snd_una = by.rcv_nxt;
  if (other->snd_nxt.since(other->snd_una) < 0) other->snd_nxt = other->snd_una;
}

// One segment. Dormant ends send nothing of their own.
bool Kernels::send(End& end, bool faulty) {
  if (end.state != End::State::live || end.reset) return false;
  if (end.snd_nxt != end.snd_una && random_.one_in(faulty ? 4 : 2)) end.snd_nxt = end.snd_una;  // a timeout
  const auto sent = static_cast<std::size_t>(end.snd_nxt.since(end.snd_una));
  const std::size_t size = std::min<std::size_t>(end.queued.size() - sent, 1 + random_.below(16));
  const int to = host_of(end.tuple.remote.address);
  const socket::Sequence from = end.snd_nxt;
  end.snd_nxt = end.snd_nxt + static_cast<std::uint32_t>(size);
  if (!up(to) || !passes(end.host, to) || (faulty && random_.one_in(5))) return true;
  End* other = find(end.tuple.flipped(), to);
  if (other == nullptr) {
    on_reset(end);
    if (passes(to, end.host)) end.reset = true;
    return true;
  }
  if (other->state == End::State::frozen || other->reset) return true;
  if (other->rcv_nxt == from && other->received.size() + size <= most_queued) {
    const auto* bytes = end.queued.data() + sent;
    other->received.insert(other->received.end(), bytes, bytes + size);
    other->rcv_nxt = from + static_cast<std::uint32_t>(size);
  }
  if (passes(to, end.host) && !(faulty && random_.one_in(5))) acknowledge(*other);
  return true;
}

void Kernels::stir(bool faulty) {
  if (ends_.empty()) return;
  End& end = *ends_[random_.below(ends_.size())];
  if (end.party == nullptr || end.held_up) return;
  switch (random_.below(3)) {
    case 0:
      if (end.state == End::State::live && end.owned) write(end, 1 + random_.below(10));
      break;
    case 1:
      if (end.state == End::State::live && end.owned) read(end, 1 + random_.below(20));
      break;
    default: send(end, faulty);
  }
}

void Kernels::drain() {
  for (int round = 0; round < 60; ++round)
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      const auto end = ends_[i];
      if (end->state != End::State::live) continue;
      if (end->owned) read(*end, most_queued);
      acknowledge(*end);
      send(*end, false);
    }
}

}  // namespace sockswap::simulation
