#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "net/options.hpp"

/// The certificate and key of one side of TLS. Errors name the file, if there is one, and reveal
/// nothing of its content.
namespace skewguard::net {

std::optional<std::string> use_server_identity(SSL_CTX* context, const ServerIdentity& identity);

/// For servers that request a certificate.
std::optional<std::string> use_client_identity(SSL_CTX* context, const ClientIdentityFiles& files);

/// The error that use_client_identity() would return. Nothing is sent.
std::optional<std::string> check_client_identity(const ClientIdentityFiles& files);

/// OpenSSL's message for the oldest error in this thread's queue, which is cleared; `otherwise` if
/// there is none.
std::string openssl_words(std::string_view otherwise);

}  // namespace skewguard::net
