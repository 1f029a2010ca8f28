#include "certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <chrono>

namespace skewguard::net::testing_certificates {
namespace {

void set_time(ASN1_TIME* field, WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  ASSERT_NE(ASN1_TIME_set(field, seconds), nullptr);
}

void set_name(X509_NAME* field, const std::string& name) {
  X509_NAME_add_entry_by_txt(field, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
}

void extend(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), &X509_EXTENSION_free);
  ASSERT_TRUE(extension) << value;
  ASSERT_EQ(X509_add_ext(certificate, extension.get(), -1), 1);
}

std::string alternatives(const Spec& spec) {
  std::string text;
  for (const auto& name : spec.dns) text += (text.empty() ? "DNS:" : ",DNS:") + name;
  for (const auto& address : spec.addresses) text += (text.empty() ? "IP:" : ",IP:") + address;
  return text;
}

long next_serial() {
  static long serial = 0;
  return ++serial;
}

}  // namespace

Spec authority_spec(const std::string& name) {
  return {.name = name,
          .not_before = kNow - std::chrono::days{1000},
          .not_after = kNow + std::chrono::days{1000},
          .authority = true};
}

Identity make(const Spec& spec, const Identity* issuer) {
  Identity made{{X509_new(), &X509_free}, {EVP_EC_gen("P-256"), &EVP_PKEY_free}};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), next_serial());
  set_time(X509_getm_notBefore(certificate), spec.not_before);
  set_time(X509_getm_notAfter(certificate), spec.not_after);
  set_name(X509_get_subject_name(certificate), spec.name);
  X509_set_issuer_name(
      certificate,
      X509_get_subject_name(issuer != nullptr ? issuer->certificate.get() : certificate));
  X509_set_pubkey(certificate, made.key.get());
  extend(certificate, NID_basic_constraints, spec.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (const auto names = alternatives(spec); !names.empty()) {
    extend(certificate, NID_subject_alt_name, names);
  }
  EVP_PKEY* signer = issuer != nullptr ? issuer->key.get() : made.key.get();
  EXPECT_GT(X509_sign(certificate, signer, EVP_sha256()), 0);
  return made;
}

std::string pem_file(const std::vector<Certificate>& certificates) {
  std::string path = text_file("");
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new_file(path.c_str(), "w"),
                                                          &BIO_free_all);
  for (const auto& certificate : certificates) {
    EXPECT_EQ(PEM_write_bio_X509(out.get(), certificate.get()), 1);
  }
  return path;
}

std::string key_file(const Key& key, const std::string& pass_phrase) {
  std::string path = text_file("");
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new_file(path.c_str(), "w"),
                                                          &BIO_free_all);
  const auto* phrase = reinterpret_cast<const unsigned char*>(pass_phrase.data());
  EXPECT_EQ(PEM_write_bio_PrivateKey(out.get(), key.get(),
                                     pass_phrase.empty() ? nullptr : EVP_aes_256_cbc(), phrase,
                                     static_cast<int>(pass_phrase.size()), nullptr, nullptr),
            1);
  return path;
}

std::string text_file(const std::string& text) {
  std::string path = ::testing::TempDir() + "skewguard_pem_XXXXXX";
  const int descriptor = ::mkstemp(path.data());
  EXPECT_GE(descriptor, 0);
  EXPECT_EQ(::write(descriptor, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(descriptor);
  return path;
}

}  // namespace skewguard::net::testing_certificates
