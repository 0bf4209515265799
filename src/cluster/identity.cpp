#include "cluster/identity.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include "cluster/certificate.h"
#include "cluster/files.h"

namespace sockswap::cluster {
namespace {

using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;

BioPtr over(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// An encrypted key would make OpenSSL ask on the terminal; a daemon has none.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

Result<X509Ptr> load_certificate(const std::filesystem::path& file) {
  SOCKSWAP_TRY(const std::string text, read_file(file));
  X509Ptr out(PEM_read_bio_X509(over(text).get(), nullptr, no_passphrase, nullptr));
  if (!out)
    return failure(ErrorCode::usage,
                   fmt::format("{} holds no certificate: {}", file.native(), openssl_error_text()));
  return out;
}

Result<KeyPtr> load_key(const std::filesystem::path& file) {
  SOCKSWAP_TRY(const std::string text, read_file(file));
  KeyPtr out(PEM_read_bio_PrivateKey(over(text).get(), nullptr, no_passphrase, nullptr));
  if (!out)
    return failure(ErrorCode::usage,
                   fmt::format("{} holds no private key: {}", file.native(), openssl_error_text()));
  return out;
}

Result<Identity> load_identity(const std::filesystem::path& folder) {
  const std::filesystem::path authority_file = folder / "ca.pem";
  const std::filesystem::path certificate_file = folder / "cert.pem";
  const std::filesystem::path key_file = folder / "key.pem";
  Identity out;
  SOCKSWAP_TRY(out.authority, load_certificate(authority_file));
  SOCKSWAP_TRY(out.certificate, load_certificate(certificate_file));
  SOCKSWAP_TRY(out.key, load_key(key_file));
  SOCKSWAP_CHECK(check_validity(*out.authority, authority_file.native()));
  SOCKSWAP_CHECK(check_validity(*out.certificate, certificate_file.native()));
  if (X509_verify(out.certificate.get(), X509_get0_pubkey(out.authority.get())) != 1) {
    ERR_clear_error();
    return failure(ErrorCode::not_permitted, fmt::format("{} was not signed by {}", certificate_file.native(),
                                                         authority_file.native()));
  }
  if (X509_check_private_key(out.certificate.get(), out.key.get()) != 1) {
    ERR_clear_error();
    return failure(ErrorCode::not_permitted,
                   fmt::format("{} is not the key of {}", key_file.native(), certificate_file.native()));
  }
  auto name = name_of(*out.certificate);
  if (!name) return failure(std::move(name).error().while_doing(certificate_file.native()));
  out.name = *std::move(name);
  return out;
}

}  // namespace sockswap::cluster
