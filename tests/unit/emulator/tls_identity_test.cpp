#include "emulator/tls_identity.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate read(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> memory(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all);
  return {PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr), &X509_free};
}

/// Whether OpenSSL's own verifier takes the chain at `when`.
bool verifies(X509* certificate, X509* ca, time_t when) {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                      &X509_STORE_free);
  X509_STORE_add_cert(store.get(), ca);
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
      X509_STORE_CTX_new(), &X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), certificate, nullptr);
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_time(context.get(), 0, when);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT);
  return X509_verify_cert(context.get()) == 1;
}

TEST(TlsIdentity, VerifiesForEveryNameOfThisMachine) {
  const auto identity = make_tls_identity("192.0.2.7", at(Duration{0}).wall);
  ASSERT_TRUE(identity);
  const auto ca = read(identity->ca);
  const auto certificate = read(identity->server.certificate);
  ASSERT_TRUE(ca && certificate);
  EXPECT_TRUE(verifies(certificate.get(), ca.get(), kStart));
  EXPECT_EQ(X509_check_host(certificate.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_NE(X509_check_host(certificate.get(), "example.com", 0, 0, nullptr), 1);
  for (const auto* address : {"127.0.0.1", "::1", "192.0.2.7"})
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), address, 0), 1) << address;
  EXPECT_NE(X509_check_ip_asc(certificate.get(), "192.0.2.8", 0), 1);
}

TEST(TlsIdentity, IsValidFromADayBeforeToThirtyDaysAfter) {
  const auto identity = make_tls_identity("127.0.0.1", at(Duration{0}).wall);
  ASSERT_TRUE(identity);
  const auto ca = read(identity->ca);
  const auto certificate = read(identity->server.certificate);
  constexpr time_t kDay = 86'400;
  EXPECT_FALSE(verifies(certificate.get(), ca.get(), kStart - kDay - 1));
  EXPECT_TRUE(verifies(certificate.get(), ca.get(), kStart - kDay + 1));
  EXPECT_TRUE(verifies(certificate.get(), ca.get(), kStart + 30 * kDay - 1));
  EXPECT_FALSE(verifies(certificate.get(), ca.get(), kStart + 30 * kDay + 1));
}

TEST(TlsIdentity, AnotherEmulatorsCaDoesNotVouchForIt) {
  const auto one = make_tls_identity("127.0.0.1", at(Duration{0}).wall);
  const auto other = make_tls_identity("127.0.0.1", at(Duration{0}).wall);
  ASSERT_TRUE(one && other);
  EXPECT_FALSE(verifies(read(one->server.certificate).get(), read(other->ca).get(), kStart));
}

}  // namespace
}  // namespace skewguard::emulator
