// Keys and certificates, in memory.
//
// Keys are ECDSA on P-256: a handshake costs each side one signature and two verifications, and OpenSSL
// 3.0 on x86-64 does 67,600 signatures and 22,900 verifications a second with it on one core, against
// 41,600 and 15,800 with Ed25519 (`openssl speed ecdsap256 ed25519`).
#pragma once

#include <string>

#include "cluster/authority.h"
#include "cluster/openssl_handles.h"

namespace sockswap::cluster {

Result<KeyPtr> make_key();

// Self-signed; may sign hosts' certificates but no further authorities.
Result<X509Ptr> make_authority(EVP_PKEY& key, const Validity& validity);

// For either side of TLS (both EKUs), with the host's name and every one of its addresses.
Result<X509Ptr> issue(const Host& host, EVP_PKEY& key, const Validity& validity, X509& authority,
                      EVP_PKEY& authority_key);

Result<std::string> pem_of(X509& certificate);
Result<std::string> pem_of(EVP_PKEY& key);  // PKCS #8, not encrypted

}  // namespace sockswap::cluster
