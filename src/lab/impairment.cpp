#include "lab/impairment.h"

namespace sockswap::lab {
namespace {

constexpr std::chrono::milliseconds kHeldBack{2};

}  // namespace

double Impairment::draw() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

Fate Impairment::decide(const LinkQuality& quality) {
  const double loss = draw();
  const double duplicate = draw();
  const double reorder = draw();
  const double jitter = draw();

  Fate fate;
  if (loss < quality.loss) {
    fate.copies = 0;
    return fate;
  }
  if (duplicate < quality.duplicate) fate.copies = 2;
  fate.overtaken = reorder < quality.reorder;
  fate.hold = quality.delay + std::chrono::nanoseconds(static_cast<std::int64_t>(
                                  jitter * static_cast<double>(quality.jitter.count())));
  if (fate.overtaken) fate.hold += kHeldBack;
  return fate;
}

}  // namespace sockswap::lab
