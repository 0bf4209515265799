#include "cluster/issue.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace sockswap::cluster {
namespace {

using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;
using BignumPtr = std::unique_ptr<BIGNUM, Release<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;

tl::unexpected<Error> failed(std::string_view what) {
  return failure(ErrorCode::internal, fmt::format("{}: {}", what, openssl_error_text()));
}

Result<> add_extension(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension || X509_add_ext(&certificate, extension.get(), -1) != 1)
    return failed(fmt::format("certificate extension '{}'", value));
  return {};
}

// RFC 5280, 4.1.2.2: positive and at most 20 octets. 127 random bits need no record of those given out.
Result<> set_serial(X509& certificate) {
  const BignumPtr serial(BN_new());
  if (!serial || BN_rand(serial.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(&certificate)) == nullptr)
    return failed("certificate serial number");
  return {};
}

// Everything but the extensions and the signature.
Result<X509Ptr> blank(const std::string& common_name, EVP_PKEY& key, const Validity& validity) {
  X509Ptr out(X509_new());
  if (!out || X509_set_version(out.get(), X509_VERSION_3) != 1 || X509_set_pubkey(out.get(), &key) != 1)
    return failed("certificate");
  SOCKSWAP_CHECK(set_serial(*out));
  const std::time_t from = std::chrono::system_clock::to_time_t(validity.from);
  const std::time_t until = std::chrono::system_clock::to_time_t(validity.until);
  if (ASN1_TIME_set(X509_getm_notBefore(out.get()), from) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(out.get()), until) == nullptr)
    return failed("certificate validity");
  if (X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.data()),
                                 static_cast<int>(common_name.size()), -1, 0) != 1)
    return failed("certificate subject");
  return out;
}

Result<> sign(X509& certificate, EVP_PKEY& key) {
  if (X509_sign(&certificate, &key, EVP_sha256()) == 0) return failed("sign the certificate");
  return {};
}

Result<std::string> text_in(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  if (size <= 0) return failed("PEM");
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace

Result<KeyPtr> make_key() {
  KeyPtr out(EVP_EC_gen("P-256"));
  if (!out) return failed("make a key");
  return out;
}

Result<X509Ptr> make_authority(EVP_PKEY& key, const Validity& validity) {
  SOCKSWAP_TRY(X509Ptr out, blank("sockswap cluster authority", key, validity));
  if (X509_set_issuer_name(out.get(), X509_get_subject_name(out.get())) != 1)
    return failed("certificate issuer");
  SOCKSWAP_CHECK(add_extension(*out, *out, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  SOCKSWAP_CHECK(add_extension(*out, *out, NID_key_usage, "critical,keyCertSign,cRLSign"));
  SOCKSWAP_CHECK(add_extension(*out, *out, NID_subject_key_identifier, "hash"));
  SOCKSWAP_CHECK(sign(*out, key));
  return out;
}

Result<X509Ptr> issue(const Host& host, EVP_PKEY& key, const Validity& validity, X509& authority,
                      EVP_PKEY& authority_key) {
  SOCKSWAP_TRY(X509Ptr out, blank(host.name, key, validity));
  if (X509_set_issuer_name(out.get(), X509_get_subject_name(&authority)) != 1)
    return failed("certificate issuer");
  std::string names = fmt::format("DNS:{}", host.name);
  for (const Address& address : host.addresses) names += fmt::format(",IP:{}", address.text());
  SOCKSWAP_CHECK(add_extension(*out, authority, NID_basic_constraints, "critical,CA:FALSE"));
  SOCKSWAP_CHECK(add_extension(*out, authority, NID_key_usage, "critical,digitalSignature"));
  SOCKSWAP_CHECK(add_extension(*out, authority, NID_ext_key_usage, "serverAuth,clientAuth"));
  SOCKSWAP_CHECK(add_extension(*out, authority, NID_subject_alt_name, names));
  SOCKSWAP_CHECK(add_extension(*out, authority, NID_subject_key_identifier, "hash"));
  SOCKSWAP_CHECK(add_extension(*out, authority, NID_authority_key_identifier, "keyid:always"));
  SOCKSWAP_CHECK(sign(*out, authority_key));
  return out;
}

Result<std::string> pem_of(X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), &certificate) != 1) return failed("PEM");
  return text_in(*bio);
}

Result<std::string> pem_of(EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("PEM");
  return text_in(*bio);
}

}  // namespace sockswap::cluster
