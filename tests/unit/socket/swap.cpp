#include "swap.h"

namespace sockswap::test {

using namespace socket;

Result<Frozen> freeze_both(Kernel& kernel, Fd moving, const Fd& staying) {
  SOCKSWAP_TRY(FrozenEnd m, FrozenEnd::freeze(kernel, std::move(moving)));
  SOCKSWAP_TRY(FrozenEnd s, FrozenEnd::freeze(kernel, staying.duplicate(), Intent::stay));
  SOCKSWAP_TRY(Image mi, m.capture());
  SOCKSWAP_TRY(Image si, s.capture());
  SOCKSWAP_CHECK(check_agreement(mi.position, si.position));
  const Sequence from = mi.position.snd_una;
  const Bytes in_flight = take_in_flight(mi);
  SOCKSWAP_CHECK(append_in_flight(si, from, in_flight));
  SOCKSWAP_CHECK(cut_sent(si, mi.position.rcv_nxt));
  return Frozen{std::move(m), std::move(s), std::move(mi), std::move(si)};
}

Result<Fd> move_frozen(Kernel& kernel, Frozen frozen, const Endpoint& to) {
  const Image& image = frozen.moving_image;
  SOCKSWAP_TRY(Reservation reservation, reserve(kernel, image.family, to));
  const Place place{frozen.staying_image.tuple.local, reservation.local};
  SOCKSWAP_TRY(DormantEnd moved, rebuild(kernel, std::move(reservation), image, place.local));
  SOCKSWAP_CHECK(frozen.moving.release());
  SOCKSWAP_TRY(DormantEnd stayed, frozen.staying.repoint(frozen.staying_image, place));
  SOCKSWAP_TRY([[maybe_unused]] const Fd copy, stayed.thaw());
  return moved.thaw();
}

Result<Fd> swap_end(Kernel& kernel, Fd moving, const Fd& staying, const Endpoint& to) {
  SOCKSWAP_TRY(Frozen frozen, freeze_both(kernel, std::move(moving), staying));
  return move_frozen(kernel, std::move(frozen), to);
}

}  // namespace sockswap::test
