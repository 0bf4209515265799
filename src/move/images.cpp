#include "move/images.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <limits>

#include "wire/endpoints.h"

namespace sockswap::move {
namespace {

// The longest is a program's own filter: BPF_MAXINSNS instructions of 8 bytes.
constexpr std::size_t longest_option = 4096 * 8;
constexpr int most_options = 256;

template <class Narrow>
Result<Narrow> narrow(std::uint32_t value, std::string_view field) {
  if (value > std::numeric_limits<Narrow>::max())
    return failure(ErrorCode::usage, fmt::format("{} is out of range in an image: {}", field, value));
  return static_cast<Narrow>(value);
}

Result<> take_options(const wire::Image& message, std::vector<socket::Option>& options) {
  if (message.options_size() > most_options)
    return failure(ErrorCode::too_large, fmt::format("{} options in an image", message.options_size()));
  for (const wire::Option& option : message.options()) {
    if (option.value().size() > longest_option)
      return failure(ErrorCode::too_large, fmt::format("an option of {} bytes", option.value().size()));
    options.push_back({option.level(), option.name(), bytes_of(option.value())});
  }
  return {};
}

}  // namespace

std::uint32_t to_message(int family) { return family == AF_INET ? 4 : 6; }

Result<int> family_from_message(std::uint32_t family) {
  if (family == 4) return AF_INET;
  if (family == 6) return AF_INET6;
  return failure(ErrorCode::usage, fmt::format("{} is not an address family", family));
}

void to_message(const socket::Position& position, wire::Position& message) {
  message.set_snd_una(position.snd_una.value());
  message.set_snd_nxt(position.snd_nxt.value());
  message.set_write_end(position.write_end.value());
  message.set_rcv_nxt(position.rcv_nxt.value());
}

socket::Position from_message(const wire::Position& message) {
  return {.snd_una = socket::Sequence(message.snd_una()),
          .snd_nxt = socket::Sequence(message.snd_nxt()),
          .write_end = socket::Sequence(message.write_end()),
          .rcv_nxt = socket::Sequence(message.rcv_nxt())};
}

void to_message(const socket::Image& image, wire::Image& message) {
  wire::to_message(image.tuple, *message.mutable_tuple());
  message.set_family(to_message(image.family));
  to_message(image.position, *message.mutable_position());
  message.set_mss_clamp(image.negotiated.mss_clamp);
  message.set_sack(image.negotiated.sack);
  message.set_timestamps(image.negotiated.timestamps);
  message.set_window_scaling(image.negotiated.window_scaling);
  message.set_snd_wscale(image.negotiated.snd_wscale);
  message.set_rcv_wscale(image.negotiated.rcv_wscale);
  message.set_snd_wl1(image.window.snd_wl1.value());
  message.set_snd_wnd(image.window.snd_wnd);
  message.set_max_window(image.window.max_window);
  message.set_rcv_wnd(image.window.rcv_wnd);
  message.set_rcv_wup(image.window.rcv_wup.value());
  message.set_timestamp(image.timestamp);
  message.set_timestamp_in_usec(image.timestamp_in_usec);
  message.set_send_buffer(image.buffers.send);
  message.set_receive_buffer(image.buffers.receive);
  message.set_buffer_locks(image.buffers.locks);
  message.set_receive_shut(image.receive_shut);
  for (const socket::Option& option : image.options) {
    wire::Option& out = *message.add_options();
    out.set_level(option.level);
    out.set_name(option.name);
    out.set_value(std::string(text_of(option.value)));
  }
}

Result<socket::Image> from_message(const wire::Image& message, Bytes received, Bytes unsent) {
  socket::Image image;
  SOCKSWAP_TRY(image.tuple, wire::from_message(message.tuple()));
  SOCKSWAP_TRY(image.family, family_from_message(message.family()));
  image.position = from_message(message.position());
  SOCKSWAP_TRY(image.negotiated.mss_clamp, narrow<std::uint16_t>(message.mss_clamp(), "mss"));
  image.negotiated.sack = message.sack();
  image.negotiated.timestamps = message.timestamps();
  image.negotiated.window_scaling = message.window_scaling();
  SOCKSWAP_TRY(image.negotiated.snd_wscale, narrow<std::uint8_t>(message.snd_wscale(), "snd_wscale"));
  SOCKSWAP_TRY(image.negotiated.rcv_wscale, narrow<std::uint8_t>(message.rcv_wscale(), "rcv_wscale"));
  image.window = {.snd_wl1 = socket::Sequence(message.snd_wl1()),
                  .snd_wnd = message.snd_wnd(),
                  .max_window = message.max_window(),
                  .rcv_wnd = message.rcv_wnd(),
                  .rcv_wup = socket::Sequence(message.rcv_wup())};
  image.timestamp = message.timestamp();
  image.timestamp_in_usec = message.timestamp_in_usec();
  SOCKSWAP_TRY(image.buffers.locks, narrow<std::uint8_t>(message.buffer_locks(), "buffer_locks"));
  image.buffers.send = message.send_buffer();
  image.buffers.receive = message.receive_buffer();
  image.receive_shut = message.receive_shut();
  SOCKSWAP_CHECK(take_options(message, image.options));
  image.received = std::move(received);
  image.unsent = std::move(unsent);
  SOCKSWAP_CHECK(socket::validate(image));
  return image;
}

}  // namespace sockswap::move
