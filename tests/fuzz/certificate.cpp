// Certificates and keys from files, and what is read out of certificates that peers show. OpenSSL decodes;
// ours is what takes a host's name and addresses from the result.
#include "cluster/certificate.h"

#include <openssl/err.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "cluster/host_table.h"
#include "cluster/identity.h"
#include "input.h"

namespace sockswap::fuzz {
namespace {

void check(const X509& certificate) {
  if (const auto name = cluster::name_of(certificate))
    require(cluster::is_host_name(*name), "the name in a certificate is a host's");
  const auto addresses = cluster::addresses_of(certificate);
  for (const Address& address : addresses)
    require(cluster::covers(certificate, address), "a certificate covers what it names");
  require(addresses.size() > 0 || !cluster::covers(certificate, Address{}),
          "one without addresses covers none");
  static_cast<void>(cluster::check_validity(certificate, "it"));
}

}  // namespace
}  // namespace sockswap::fuzz

// The first byte: 0 as a peer shows it (DER), else as a file (PEM).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  using namespace sockswap::fuzz;
  if (size == 0) return 0;
  if (data[0] == 0) {
    const unsigned char* at = data + 1;
    const cluster::X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(size - 1)));
    if (certificate) check(*certificate);
  } else {
    const Fd file(::memfd_create("certificate", MFD_CLOEXEC));
    require(file && ::write(file.get(), data + 1, size - 1) == static_cast<ssize_t>(size - 1), "a file");
    const std::string path = "/proc/self/fd/" + std::to_string(file.get());
    if (const auto certificate = cluster::load_certificate(path))
      check(**certificate);
    else
      static_cast<void>(cluster::load_key(path));
  }
  ERR_clear_error();
  return 0;
}
