#include "net/tls_identity.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <tuple>
#include <utility>

namespace skewguard::net {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

constexpr std::size_t kMaxPemBytes = std::size_t{1024} * 1024;  // hundreds of certificates

Bio reader(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

/// Replaces OpenSSL's own, which would prompt on the terminal.
int refuse_pass_phrase(char* /*into*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Key private_key(std::string_view pem, bool& encrypted) {
  return {PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, &refuse_pass_phrase, &encrypted),
          &EVP_PKEY_free};
}

/// The first certificate is our own, the others lead to the authority.
bool use_chain(SSL_CTX* context, std::string_view pem) {
  const auto in = reader(pem);
  const auto next = [&] {
    return Certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &X509_free};
  };
  auto own = next();
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) return false;
  while (auto above = next()) {
    if (SSL_CTX_add0_chain_cert(context, above.get()) != 1) return false;
    std::ignore = above.release();
  }
  ERR_clear_error();  // that no more certificate follows
  return true;
}

/// 0, or errno. `text` is to be wiped.
int read_whole(const std::string& path, std::string& text) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  std::array<char, 16 * 1024> chunk{};
  int error = 0;
  while (error == 0) {
    const auto got = ::read(fd, chunk.data(), chunk.size());
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error = errno;
      break;
    }
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxPemBytes) error = EFBIG;
  }
  ::close(fd);
  OPENSSL_cleanse(chunk.data(), chunk.size());
  return error;
}

std::string unreadable(const std::string& what, int error) {
  return what + " cannot be read: " + std::generic_category().message(error);
}

}  // namespace

std::string openssl_words(std::string_view otherwise) {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return std::string(otherwise);
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

std::optional<std::string> use_server_identity(SSL_CTX* context, const ServerIdentity& identity) {
  bool encrypted = false;
  const auto key = private_key(identity.key.reveal(), encrypted);
  if (use_chain(context, identity.certificate) && key &&
      SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1) {
    return std::nullopt;
  }
  return "the server's certificate or key is unusable: " + openssl_words("no reason is given");
}

std::optional<std::string> use_client_identity(SSL_CTX* context, const ClientIdentityFiles& files) {
  const std::string certificate = "the client certificate file " + files.certificate;
  const std::string key_file = "the client key file " + files.key;
  std::string text;
  if (const int error = read_whole(files.certificate, text)) return unreadable(certificate, error);
  ERR_clear_error();
  const bool chain = use_chain(context, text);
  Secret::wipe(text);  // the key may be in the same file
  if (!chain) {
    return certificate + " contains no usable certificate (PEM): " + openssl_words("it is not one");
  }
  const int error = read_whole(files.key, text);
  bool encrypted = false;
  const auto key = private_key(text, encrypted);
  Secret::wipe(text);
  if (error != 0) return unreadable(key_file, error);
  if (encrypted) {
    ERR_clear_error();
    return key_file + " is encrypted, and nobody can be asked for its pass phrase";
  }
  if (!key) {
    return key_file + " contains no usable private key (PEM): " + openssl_words("it is not one");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1) {
    return std::nullopt;
  }
  ERR_clear_error();
  return key_file + " does not belong to the certificate in " + files.certificate;
}

std::optional<std::string> check_client_identity(const ClientIdentityFiles& files) {
  const Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (!context) return "TLS cannot be set up: " + openssl_words("no reason is given");
  return use_client_identity(context.get(), files);
}

}  // namespace skewguard::net
