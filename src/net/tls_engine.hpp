#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/certificate_check.hpp"
#include "net/options.hpp"
#include "net/tls_sessions.hpp"
#include "skewguard/transport.hpp"

/// TLS as a state machine: bytes in, bytes out, no socket. Based on memory BIOs instead of
/// asio::ssl::stream because the transport must know whether an answer arrived before its request
/// (session tickets are not an answer), and why a certificate was rejected.
namespace skewguard::net {

/// Shared by all connections of one side: versions, trust, identity. Not thread-safe.
class TlsContext {
 public:
  /// For a client. Loading the authorities takes milliseconds, so it is created when the first
  /// https URL is requested.
  explicit TlsContext(const TlsOptions& options);
  /// For a server, which requests no certificate.
  explicit TlsContext(const ServerIdentity& identity);
  [[nodiscard]] SSL_CTX* get() const noexcept { return context_.get(); }
  /// Why it is unusable, if so (an unusable file or key).
  [[nodiscard]] const std::optional<std::string>& fault() const noexcept { return fault_; }
  /// The file of the client's certificate; empty = none.
  [[nodiscard]] const std::string& shows() const noexcept { return shows_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  };
  explicit TlsContext(const SSL_METHOD* method);

  std::unique_ptr<SSL_CTX, Free> context_;
  std::optional<std::string> fault_;
  std::string shows_;
};

/// One side of one TLS connection. Not thread-safe.
class TlsEngine {
 public:
  enum class Step {
    done,        ///< done (a handshake), or bytes were handed out (a read)
    want_input,  ///< send output(), then feed() what comes back, and ask again
    closed,      ///< the peer said in good order that nothing more will come
    failed,      ///< see failure()
  };

  /// With `sessions` a client resumes one of an earlier connection to the same server, where the
  /// server takes it. The certificate is checked all the same: against the time of this connection.
  TlsEngine(const TlsContext& client_context, CertificateDemand demand,
            std::shared_ptr<TlsSessions> sessions = nullptr);
  explicit TlsEngine(const TlsContext& server_context);
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  Step handshake();
  /// Accepts bytes from the network. May produce output().
  void feed(std::span<const char> bytes);
  /// Encrypts all of `plain` into output(). False: failed.
  bool write(std::string_view plain);
  /// Decrypts into `buffer`; `size` is set if the step is `done`.
  Step read(std::span<char> buffer, std::size_t& size);
  /// What was fed has not been decrypted and read to its end yet.
  [[nodiscard]] bool holds_input() const noexcept;
  /// Like read(), without consuming the bytes.
  Step peek();
  /// Writes close_notify to output(), if there was a handshake.
  void close();
  /// The bytes to send to the network now; each byte is returned once.
  std::string output();
  /// Appends them to `out`.
  void output_to(std::string& out);
  /// Fails it for a reason of ours, unless it has failed already.
  Step give_up(const std::string& why);
  /// It offered the server a session to resume.
  [[nodiscard]] bool offered_session() const noexcept { return offered_session_; }
  /// "host:port", or "a client": for messages.
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
  /// After the handshake: version, cipher, and the peer's certificate; visible ASCII.
  [[nodiscard]] std::string about_peer() const;
  /// For the message if the server closed the connection: that it requested a client certificate,
  /// and what it got. Empty if it did not request one.
  [[nodiscard]] std::string about_our_certificate() const;
  /// Why it failed: tls_untrusted, tls_time or tls_failed.
  [[nodiscard]] TransportFailure failure() const { return failure_; }

 private:
  struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };
  friend class TlsContext;
  static int asked(SSL* ssl, void* engine);
  static int verify(X509_STORE_CTX* context, void* unused);
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  void offer_session();
  bool check_resumed();
  void demand_host();
  void set_up();
  [[nodiscard]] bool speaks_http() const noexcept;
  Step stopped(int result, const char* doing);

  CertificateDemand demand_{};             // of a client
  std::shared_ptr<TlsSessions> sessions_;  // null: none is resumed or kept
  bool offered_session_ = false;
  std::string shows_;   // the file of a client's own certificate
  bool asked_ = false;  // the server asked for it
  std::string peer_;    // for messages
  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_ = nullptr;                        // owned by ssl_
  BIO* out_ = nullptr;                       // owned by ssl_
  std::optional<TransportFailure> refused_;  // the certificate
  std::string first_bytes_;                  // five, as they came from the network
  TransportFailure failure_;
  bool failed_ = false;
};

}  // namespace skewguard::net
