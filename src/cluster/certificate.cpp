#include "cluster/certificate.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>

#include "cluster/host_table.h"

namespace sockswap::cluster {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;

NamesPtr alternative_names(const X509& certificate) {
  return NamesPtr(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
}

ByteView bytes_of(const ASN1_STRING& string) {
  return {reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(&string)),
          static_cast<std::size_t>(ASN1_STRING_length(&string))};
}

}  // namespace

Result<std::string> name_of(const X509& certificate) {
  const NamesPtr names = alternative_names(certificate);
  std::vector<std::string_view> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* entry = sk_GENERAL_NAME_value(names.get(), i);
    if (entry->type == GEN_DNS) found.push_back(text_of(bytes_of(*entry->d.dNSName)));
  }
  if (found.size() != 1)
    return failure(ErrorCode::not_permitted,
                   fmt::format("a host's certificate has one DNS name, this one has {}", found.size()));
  if (!is_host_name(found.front()))
    return failure(ErrorCode::not_permitted, "the certificate's DNS name is not a host name");
  return std::string(found.front());
}

std::vector<Address> addresses_of(const X509& certificate) {
  const NamesPtr names = alternative_names(certificate);
  std::vector<Address> out;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* entry = sk_GENERAL_NAME_value(names.get(), i);
    if (entry->type != GEN_IPADD) continue;
    if (auto address = Address::from_bytes(bytes_of(*entry->d.iPAddress))) out.push_back(*address);
  }
  return out;
}

bool covers(const X509& certificate, const Address& address) {
  return std::ranges::count(addresses_of(certificate), address) != 0;
}

Result<> check_validity(const X509& certificate, std::string_view what,
                        std::chrono::system_clock::time_point now) {
  std::time_t at = std::chrono::system_clock::to_time_t(now);
  if (X509_cmp_time(X509_get0_notBefore(&certificate), &at) > 0)
    return failure(ErrorCode::not_permitted, fmt::format("{} is not valid yet", what),
                   "check this host's clock");
  if (X509_cmp_time(X509_get0_notAfter(&certificate), &at) < 0)
    return failure(ErrorCode::not_permitted, fmt::format("{} has expired", what));
  return {};
}

}  // namespace sockswap::cluster
