// What a host's certificate says: its name and its addresses. Both stand in subjectAltName (RFC 5280,
// 4.2.1.6); the subject's common name is for people only.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "cluster/openssl_handles.h"

namespace sockswap::cluster {

// The certificate's only DNS name. Not a valid host name, none or several: not_permitted.
Result<std::string> name_of(const X509& certificate);

// Exactly the addresses listed; there are no ranges and no wildcards.
std::vector<Address> addresses_of(const X509& certificate);

// The rule on which all moves rest: a host may ask a peer to re-point a connection only if its
// certificate covers the address of that connection's other end.
bool covers(const X509& certificate, const Address& address);

// not_permitted, naming `what`, if `now` lies outside the certificate's validity.
Result<> check_validity(const X509& certificate, std::string_view what,
                        std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

}  // namespace sockswap::cluster
