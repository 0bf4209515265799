// Ends that could not be brought up again after the commit, by their number in the move. Whoever hears of one
// first passes it on, so that nobody takes a connection for whole that isn't.
#pragma once

#include <functional>
#include <map>

#include "base/error.h"
#include "wire/session.pb.h"

namespace sockswap::move {

using LostEnds = std::map<std::uint32_t, Error>;

// Adds those of a message that its sender may speak of; the first word about an end stays.
using MaySpeakOf = std::function<bool(std::uint32_t index)>;
void add_from(const google::protobuf::RepeatedPtrField<wire::LostEnd>& message, LostEnds& lost,
              const MaySpeakOf& may);
// All of them: of this host's own records, or its keeper's.
LostEnds from_message(const google::protobuf::RepeatedPtrField<wire::LostEnd>& message);
void to_message(const LostEnds& lost, google::protobuf::RepeatedPtrField<wire::LostEnd>& message);

}  // namespace sockswap::move
