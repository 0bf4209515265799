#include "daemon/origin_ends.h"

#include <fmt/format.h>

#include "move/images.h"
#include "socket/reconcile.h"
#include "wire/parcel.h"

namespace sockswap::daemon {

Result<std::vector<socket::Position>> OriginEnds::freeze(std::uint64_t state_bytes) {
  std::vector<socket::Position> positions;
  std::vector<socket::FrozenEnd> frozen;  // thaws what it holds if the next one fails
  std::vector<socket::Image> images;
  frozen.reserve(fds_.size());
  for (const ForeignFd& fd : fds_) {
    Fd copy = fd.duplicate();
    if (!copy) return system_failure(errno, "duplicate a descriptor", ErrorCode::no_resources);
    SOCKSWAP_TRY(socket::FrozenEnd end, socket::FrozenEnd::freeze(kernel_, std::move(copy)));
    frozen.push_back(std::move(end));
    SOCKSWAP_TRY(socket::Image image, frozen.back().capture());
    positions.push_back(image.position);
    images.push_back(std::move(image));
  }
  std::uint64_t bytes = state_bytes;
  for (const socket::Image& image : images)
    bytes += image.received.size() + image.sent.size() + image.unsent.size();
  if (bytes > wire::Limits{}.attachment_bytes)
    return failure(ErrorCode::too_large,
                   fmt::format("queues and state have {} bytes together, {} can travel in one move", bytes,
                               wire::Limits{}.attachment_bytes),
                   "move fewer ends at once, or less state");
  frozen_ = std::move(frozen);
  images_ = std::move(images);
  return positions;
}

std::vector<Bytes> OriginEnds::compose_deliver(wire::Deliver& deliver) {
  std::vector<Bytes> attachments;
  for (socket::Image& image : images_) {
    const socket::Sequence from = image.position.snd_una;
    in_flight_.push_back({from, socket::take_in_flight(image)});
    move::to_message(image, *deliver.add_images());
    attachments.push_back(std::move(image.received));
    attachments.push_back(std::move(image.unsent));
  }
  images_.clear();
  return attachments;
}

std::vector<Bytes> OriginEnds::compose_swap(const move::OriginPlan& plan, const std::string& peer,
                                            wire::SwapEnds& swap) const {
  std::vector<Bytes> attachments;
  for (std::uint32_t index = 0; index < plan.ends.size(); ++index) {
    if (plan.ends[index].peer != peer) continue;
    wire::SwapEnds::End& end = *swap.add_ends();
    end.set_index(index);
    end.set_in_flight_from(in_flight_[index].from.value());
    attachments.push_back(in_flight_[index].bytes);
  }
  return attachments;
}

Result<> OriginEnds::release() {
  Result<> outcome;
  for (socket::FrozenEnd& end : frozen_)
    if (auto released = end.release(); !released) outcome = std::move(released);
  frozen_.clear();
  fds_.clear();
  return outcome;
}

Result<> OriginEnds::thaw() {
  Result<> outcome;
  for (socket::FrozenEnd& end : frozen_)
    if (auto thawed = end.thaw(); !thawed) outcome = std::move(thawed);
  frozen_.clear();
  fds_.clear();
  return outcome;
}

}  // namespace sockswap::daemon
