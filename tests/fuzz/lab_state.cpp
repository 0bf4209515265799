// A lab's note of itself, a file that anybody may have written.
#include "input.h"
#include "lab/state_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  using namespace sockswap::fuzz;
  const auto state = lab::from_json(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!state) return 0;
  const std::string written = lab::to_json(*state);
  const auto again = lab::from_json(written);
  require(again && lab::to_json(*again) == written, "a lab's state survives its file");
  return 0;
}
