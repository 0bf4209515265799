#include "move/lost_ends.h"

#include "wire/errors.h"

namespace sockswap::move {

void add_from(const google::protobuf::RepeatedPtrField<wire::LostEnd>& message, LostEnds& lost,
              const MaySpeakOf& may) {
  for (const wire::LostEnd& end : message) {
    if (!may(end.index())) continue;
    Error error = wire::from_message(end.error());
    error.code = ErrorCode::lost;  // after the commit there is no other
    lost.try_emplace(end.index(), std::move(error));
  }
}

LostEnds from_message(const google::protobuf::RepeatedPtrField<wire::LostEnd>& message) {
  LostEnds lost;
  add_from(message, lost, [](std::uint32_t) { return true; });
  return lost;
}

void to_message(const LostEnds& lost, google::protobuf::RepeatedPtrField<wire::LostEnd>& message) {
  for (const auto& [index, error] : lost) {
    wire::LostEnd& end = *message.Add();
    end.set_index(index);
    wire::to_message(error, *end.mutable_error());
  }
}

}  // namespace sockswap::move
