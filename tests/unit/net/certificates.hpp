#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "skewguard/time.hpp"

/// Generates certificates for tests.
namespace skewguard::net::testing_certificates {

/// What the local wall clock shows in the tests of certificates.
inline constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 3 / 14}};

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

struct Identity {
  Certificate certificate;
  Key key;
};

struct Spec {
  std::string name = "server";           ///< common name of the subject
  std::vector<std::string> dns{};        ///< subjectAltName
  std::vector<std::string> addresses{};  ///< subjectAltName, numeric
  WallTime not_before{};
  WallTime not_after{};
  bool authority = false;
};

/// An authority that is valid for 1000 days before and after kNow.
Spec authority_spec(const std::string& name = "Test Authority");

/// Signed by `issuer`, or self-signed if that is null.
Identity make(const Spec& spec, const Identity* issuer = nullptr);

/// Writes the certificates into a new PEM file and returns its path.
std::string pem_file(const std::vector<Certificate>& certificates);
/// The same for a key, encrypted if there is a passphrase.
std::string key_file(const Key& key, const std::string& pass_phrase = "");
/// The same for any text.
std::string text_file(const std::string& text);

}  // namespace skewguard::net::testing_certificates
