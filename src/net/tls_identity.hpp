#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "net/options.hpp"

/// The certificate and the key that one side of TLS shows. An error is plain words that name the
/// file, where there is one; nothing of what is in it.
namespace skewguard::net {

std::optional<std::string> use_server_identity(SSL_CTX* context, const ServerIdentity& identity);

/// For servers that ask for a certificate.
std::optional<std::string> use_client_identity(SSL_CTX* context, const ClientIdentityFiles& files);

/// What use_client_identity() would say. Nothing is sent.
std::optional<std::string> check_client_identity(const ClientIdentityFiles& files);

/// OpenSSL's own words for the oldest error of this thread's queue, which is emptied; `otherwise`
/// where there is none.
std::string openssl_words(std::string_view otherwise);

}  // namespace skewguard::net
