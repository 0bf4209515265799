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
  for (socket::Image& image : images) in_flight_.push_back(socket::take_in_flight(image));
  frozen_ = std::move(frozen);
  images_ = std::move(images);
  return positions;
}

std::vector<Bytes> OriginEnds::take_in_flight(const wire::Hold& hold) {
  std::vector<Bytes> attachments;
  for (const wire::Hold::End& end : hold.ends())
    attachments.push_back(std::exchange(in_flight_.at(end.index()), {}));
  return attachments;
}

std::vector<Bytes> OriginEnds::compose_deliver(wire::Deliver& deliver) {
  std::vector<Bytes> attachments;
  for (socket::Image& image : images_) {
    move::to_message(image, *deliver.add_images());
    attachments.push_back(std::move(image.received));
    attachments.push_back(std::move(image.unsent));
  }
  images_.clear();
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
