#include "socket/send_stop.h"

#include <linux/sockios.h>

namespace sockswap::socket {
namespace {

Result<> close_window(const Handle& end, Window window) {
  window.snd_wnd = 0;
  return restore_window(end, window);
}

}  // namespace

Result<> SendStop::engage(const Handle& end) {
  SOCKSWAP_TRY(const int unsent, end.count(SIOCOUTQNSD, "SIOCOUTQNSD"));
  return unsent == 0 ? Result<>{} : close(end);
}

Result<> SendStop::close(const Handle& end) {
  if (real_) return {};
  SOCKSWAP_TRY(const Window now, dump_window(end));
  if (now.snd_wnd == 0) return {};  // closed already, by the other end
  SOCKSWAP_CHECK(close_window(end, now));
  real_ = now;
  return {};
}

// The segment that opens a window, or closes it for another reason, also moves snd_wl1 or sets snd_wnd.
bool SendStop::still_closed(const Window& now) const {
  return now.snd_wnd == 0 && now.snd_wl1 == real_->snd_wl1;
}

Result<Window> SendStop::window(const Handle& end) {
  SOCKSWAP_TRY(Window now, dump_window(end));
  if (!real_) return now;
  if (still_closed(now)) {
    now.snd_wnd = real_->snd_wnd;
    return now;
  }
  SOCKSWAP_CHECK(close_window(end, now));
  real_ = now;
  return now;
}

Result<> SendStop::release(const Handle& end) {
  if (!real_) return {};
  SOCKSWAP_TRY(Window now, dump_window(end));
  if (still_closed(now)) {
    now.snd_wnd = real_->snd_wnd;
    SOCKSWAP_CHECK(restore_window(end, now));
  }
  real_.reset();
  return {};
}

}  // namespace sockswap::socket
