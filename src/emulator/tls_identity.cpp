#include "emulator/tls_identity.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace skewguard::emulator {
namespace {

template <auto free_it>
struct Freer {
  template <typename T>
  void operator()(T* it) const noexcept {
    free_it(it);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;

constexpr std::chrono::hours kBefore{24};
constexpr std::chrono::hours kAfter{24 * 30};

struct Wanted {
  const char* name;          // common name
  const char* constraints;   // basicConstraints
  const char* usage;         // keyUsage
  std::string alternatives;  // subjectAltName; empty = none
  WallTime wall;
};

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, 8> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  std::uint64_t serial = 0;
  for (const auto byte : bytes) serial = serial << 8U | byte;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1U | 1U) == 1;
}

bool set_validity(X509* certificate, WallTime wall) {
  const auto at = std::chrono::floor<std::chrono::seconds>(wall);
  const auto seconds = [](auto time) {
    return static_cast<time_t>(time.time_since_epoch().count());
  };
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(at - kBefore)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(at + kAfter)) != nullptr;
}

bool set_name(X509_NAME* name, const char* text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text), -1, -1, 0) == 1;
}

/// Issued by `issuer` with `issuer_key`; by itself where there is none.
Certificate make_certificate(const Wanted& wanted, EVP_PKEY* key, X509* issuer,
                             EVP_PKEY* issuer_key) {
  Certificate made(X509_new());
  auto* raw = made.get();
  if (raw == nullptr) return nullptr;
  auto* parent = issuer == nullptr ? raw : issuer;
  const bool ok = X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw) &&
                  set_validity(raw, wanted.wall) &&
                  set_name(X509_get_subject_name(raw), wanted.name) &&
                  X509_set_issuer_name(raw, X509_get_subject_name(parent)) == 1 &&
                  X509_set_pubkey(raw, key) == 1 &&
                  add_extension(raw, parent, NID_basic_constraints, wanted.constraints) &&
                  add_extension(raw, parent, NID_key_usage, wanted.usage) &&
                  add_extension(raw, parent, NID_subject_key_identifier, "hash") &&
                  add_extension(raw, parent, NID_authority_key_identifier, "keyid") &&
                  (wanted.alternatives.empty() ||
                   (add_extension(raw, parent, NID_subject_alt_name, wanted.alternatives.c_str()) &&
                    add_extension(raw, parent, NID_ext_key_usage, "serverAuth"))) &&
                  X509_sign(raw, issuer_key == nullptr ? key : issuer_key, EVP_sha256()) > 0;
  return ok ? std::move(made) : nullptr;
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto length = BIO_get_mem_data(memory, &data);
  return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : std::string{};
}

std::string pem(X509* certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), certificate);
  return text_of(memory.get());
}

Secret pem(EVP_PKEY* key) {
  const Memory memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return Secret(text_of(memory.get()));
}

std::string alternatives(const std::string& address) {
  std::string out = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (address != "127.0.0.1" && address != "::1") out += ",IP:" + address;
  return out;
}

}  // namespace

Result<TlsIdentity> make_tls_identity(const std::string& address, WallTime wall) {
  const Key ca_key(EVP_EC_gen("P-256"));
  const Key key(EVP_EC_gen("P-256"));
  const Error failed{ErrorKind::config, "cannot make a certificate for " + address, ""};
  if (!ca_key || !key) return failed;
  const auto ca = make_certificate(
      {"skewguard emulator CA", "critical,CA:TRUE", "critical,keyCertSign,cRLSign", "", wall},
      ca_key.get(), nullptr, nullptr);
  if (!ca) return failed;
  const auto server = make_certificate({"skewguard emulator", "critical,CA:FALSE",
                                        "critical,digitalSignature", alternatives(address), wall},
                                       key.get(), ca.get(), ca_key.get());
  if (!server) return failed;
  return TlsIdentity{pem(ca.get()), {pem(server.get()), pem(key.get())}};
}

}  // namespace skewguard::emulator
