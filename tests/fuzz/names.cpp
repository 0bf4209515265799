// What people and programs spell as text: addresses, endpoints, 4-tuples, host names, a link's quality.
// What is read is written in one way, and read again from that.
#include "base/endpoint.h"
#include "cluster/host_table.h"
#include "input.h"
#include "lab/quality.h"

namespace sockswap::fuzz {
namespace {

template <class T>
void check(std::string_view text) {
  const auto read = T::parse(text);
  if (!read) return;
  require(text.find('\0') == std::string_view::npos, "nothing is read up to a zero byte only");
  const auto again = T::parse(read->text());
  require(again && *again == *read && again->text() == read->text(), "a name survives its text");
}

}  // namespace
}  // namespace sockswap::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  using namespace sockswap::fuzz;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check<Address>(text);
  check<Endpoint>(text);
  check<FourTuple>(text);
  if (cluster::is_host_name(text))
    require(text.size() <= 63 && text.find_first_of("/.\n\"") == std::string_view::npos,
            "a host's name fits into a ticket, a file's name and a certificate");
  if (const auto address = Address::from_bytes(view_of(text)))
    require(*Address::from_bytes(address->bytes()) == *address, "an address survives its bytes");
  if (const auto duration = lab::parse_duration(text)) require(duration->count() >= 0, "no negative delay");
  if (const auto share = lab::parse_share(text)) require(*share >= 0 && *share <= 1, "a share is one");
  static_cast<void>(lab::parse_rate(text));
  return 0;
}
