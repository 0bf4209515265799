#include "cluster/certificate.h"

#include <openssl/x509v3.h>

#include "cluster/issue.h"
#include "scratch.h"

namespace sockswap::cluster {
namespace {

using namespace std::chrono_literals;

class Certificates : public testing::Test {
 protected:
  X509Ptr certificate(const Host& of, const Validity& validity = {}) {
    return issue(of, *key, validity, *authority, *authority_key).value();
  }
  // A certificate that our authority would never issue.
  X509Ptr odd(const char* names) {
    X509Ptr out(X509_new());
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
    X509_add_ext(out.get(), extension, -1);
    X509_EXTENSION_free(extension);
    return out;
  }
  KeyPtr authority_key = make_key().value();
  X509Ptr authority = make_authority(*authority_key, {}).value();
  KeyPtr key = make_key().value();
};

TEST_F(Certificates, SayTheirName) {
  EXPECT_EQ(name_of(*certificate(host("alpha", {"10.0.0.1"}))).value(), "alpha");
  const std::string longest(63, 'x');
  EXPECT_EQ(name_of(*certificate(host(longest, {"10.0.0.1"}))).value(), longest);
}

TEST_F(Certificates, WithoutOneValidNameAreNobodys) {
  for (const char* names : {"IP:10.0.0.1", "DNS:a,DNS:b", "DNS:*", "DNS:A", "DNS:a.example.org"})
    EXPECT_EQ(name_of(*odd(names)).error().code, ErrorCode::not_permitted) << names;
  EXPECT_FALSE(name_of(*authority));
  EXPECT_EQ(name_of(*odd("DNS:a")).value(), "a");
}

TEST_F(Certificates, CoverTheAddressesListedAndNoOthers) {
  const X509Ptr alpha = certificate(host("alpha", {"10.0.0.1", "fd00::1"}));
  EXPECT_TRUE(covers(*alpha, address("10.0.0.1")));
  EXPECT_TRUE(covers(*alpha, address("::ffff:10.0.0.1")));
  EXPECT_TRUE(covers(*alpha, address("fd00::1")));
  EXPECT_FALSE(covers(*alpha, address("10.0.0.2")));
  EXPECT_FALSE(covers(*alpha, address("fd00::2")));
  EXPECT_FALSE(covers(*alpha, Address()));
  EXPECT_FALSE(covers(*odd("DNS:a,DNS:b"), address("10.0.0.1")));
}

TEST_F(Certificates, AreGoodForAWhile) {
  const auto now = std::chrono::system_clock::now();
  const X509Ptr alpha = certificate(host("alpha", {"10.0.0.1"}), {.from = now - 1h, .until = now + 1h});
  EXPECT_TRUE(check_validity(*alpha, "it", now));
  EXPECT_EQ(check_validity(*alpha, "it", now - 2h).error().message, "it is not valid yet");
  EXPECT_EQ(check_validity(*alpha, "it", now + 2h).error().message, "it has expired");
}

TEST_F(Certificates, BearTheirAuthoritysSignature) {
  const X509Ptr alpha = certificate(host("alpha", {"10.0.0.1"}));
  EXPECT_EQ(X509_verify(alpha.get(), X509_get0_pubkey(authority.get())), 1);
  EXPECT_EQ(X509_verify(alpha.get(), key.get()), 0);
}

}  // namespace
}  // namespace sockswap::cluster
