#include "net/tls_engine.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "net/tls_identity.hpp"

namespace skewguard::net {
namespace {

constexpr std::string_view kBrokenOff = "the peer closed the connection";
constexpr std::string_view kHttp = "HTTP/";

/// The index under which an SSL object stores its engine.
int engine_slot() {
  static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

bool numeric(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> address(
      a2i_IPADDRESS(host.c_str()), &ASN1_OCTET_STRING_free);
  return address != nullptr;
}

/// Sets the ciphers of the system's policy (openssl.cnf) without DHE, whose group the server
/// chooses: one of 10,000 bits blocks the loop for half a second. TLS 1.3 ciphers have their own
/// list. False if none are left.
bool leave_out_dhe(SSL_CTX* context) {
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context);
  std::string names;
  bool dhe = false;
  bool tls13 = false;
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, i);
    const int exchange = SSL_CIPHER_get_kx_nid(cipher);
    dhe = dhe || exchange == NID_kx_dhe;
    tls13 = tls13 || exchange == NID_kx_any;
    if (exchange == NID_kx_dhe || exchange == NID_kx_any) continue;
    if (!names.empty()) names += ':';
    names += SSL_CIPHER_get_name(cipher);
  }
  if (!dhe) return true;
  if (!names.empty()) return SSL_CTX_set_cipher_list(context, names.c_str()) == 1;
  return tls13 && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1;
}

}  // namespace

TlsContext::TlsContext(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {
  if (!context_) {
    fault_ = "TLS cannot be set up: " + openssl_words("no reason is given");
    return;
  }
  if (SSL_CTX_get_min_proto_version(get()) < TLS1_2_VERSION)  // the system may demand more
    SSL_CTX_set_min_proto_version(get(), TLS1_2_VERSION);
  SSL_CTX_set_options(get(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_mode(get(), SSL_MODE_RELEASE_BUFFERS);
}

TlsContext::TlsContext(const TlsOptions& options) : TlsContext(TLS_client_method()) {
  if (fault_) return;
  if (!leave_out_dhe(get())) {
    fault_ =
        "the TLS policy of this system (openssl.cnf) allows only DHE ciphers, which are not used";
    return;
  }
  if (options.keep_buffers) SSL_CTX_clear_mode(get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(get(), &TlsEngine::verify, nullptr);
  SSL_CTX_set_session_cache_mode(get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(get(), &TlsEngine::keep_session);
  static constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(get(), kHttp11.data(), kHttp11.size());
  if (!options.ca_file) {
    SSL_CTX_set_default_verify_paths(get());
  } else if (SSL_CTX_load_verify_file(get(), options.ca_file->c_str()) != 1) {
    fault_ = "the CA file " + *options.ca_file +
             " cannot be used: " + openssl_words("no reason is given");
  }
  if (!fault_ && options.client_identity) {
    fault_ = use_client_identity(get(), *options.client_identity);
    shows_ = options.client_identity->certificate;
  }
  // A given authority may be an intermediate one, as with curl.
  X509_STORE_set_flags(SSL_CTX_get_cert_store(get()), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
}

TlsContext::TlsContext(const ServerIdentity& identity) : TlsContext(TLS_server_method()) {
  if (fault_) return;
  fault_ = use_server_identity(get(), identity);
}

TlsEngine::TlsEngine(const TlsContext& client_context, CertificateDemand demand,
                     std::shared_ptr<TlsSessions> sessions)
    : demand_(std::move(demand)),
      sessions_(std::move(sessions)),
      shows_(client_context.shows()),
      peer_(demand_.host + ":" + std::to_string(demand_.port)),
      ssl_(client_context.get() != nullptr ? SSL_new(client_context.get()) : nullptr) {
  set_up();
  if (!ssl_) return;
  SSL_set_connect_state(ssl_.get());
  SSL_set_ex_data(ssl_.get(), engine_slot(), this);
  SSL_set_cert_cb(ssl_.get(), &TlsEngine::asked, this);
  demand_host();
  offer_session();
}

TlsEngine::TlsEngine(const TlsContext& server_context)
    : peer_("a client"),
      ssl_(server_context.get() != nullptr ? SSL_new(server_context.get()) : nullptr) {
  set_up();
  if (ssl_) SSL_set_accept_state(ssl_.get());
}

void TlsEngine::set_up() {
  failure_.kind = TransportFailure::Kind::tls_failed;
  failure_.detail = "TLS cannot be set up";
  if (!ssl_) return;
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  BIO_ctrl(in_, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, nullptr);  // empty means "not yet"
  SSL_set_bio(ssl_.get(), in_, out_);
}

void TlsEngine::demand_host() {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(
      param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (numeric(demand_.host)) {  // no SNI: it is only for names (RFC 6066 section 3)
    X509_VERIFY_PARAM_set1_ip_asc(param, demand_.host.c_str());
    return;
  }
  std::string name = demand_.host;
  if (name.ends_with('.')) name.pop_back();  // the root's dot is not in certificates
  X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size());
  SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
}

int TlsEngine::verify(X509_STORE_CTX* context, void* /*unused*/) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* engine = static_cast<TlsEngine*>(SSL_get_ex_data(ssl, engine_slot()));
  engine->refused_ = check_certificate(context, engine->demand_);
  return engine->refused_ ? 0 : 1;
}

/// OpenSSL hands over each session that the server sends; 1: it is ours now.
int TlsEngine::keep_session(SSL* ssl, SSL_SESSION* session) {
  const auto* engine = static_cast<TlsEngine*>(SSL_get_ex_data(ssl, engine_slot()));
  if (!engine->sessions_) return 0;
  engine->sessions_->put(engine->peer_, TlsSession(session));
  return 1;
}

void TlsEngine::offer_session() {
  const auto session = sessions_ ? sessions_->take(peer_) : nullptr;
  offered_session_ = session && SSL_set_session(ssl_.get(), session.get()) == 1;
}

/// In a resumed session no certificate is sent, and OpenSSL checks none: here the one that the
/// session began with is, since it may have ended by now, or the clock been set.
bool TlsEngine::check_resumed() {
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
      X509_STORE_CTX_new(), &X509_STORE_CTX_free);
  X509* leaf = SSL_get0_peer_certificate(ssl_.get());
  X509_STORE* trusted = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl_.get()));
  if (!context || leaf == nullptr ||
      X509_STORE_CTX_init(context.get(), trusted, leaf, SSL_get_peer_cert_chain(ssl_.get())) != 1)
    return false;
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_auth_level(wanted, SSL_get_security_level(ssl_.get()));
  X509_VERIFY_PARAM_set1(wanted, SSL_get0_param(ssl_.get()));
  refused_ = check_certificate(context.get(), demand_);
  return !refused_;
}

int TlsEngine::asked(SSL* /*ssl*/, void* engine) {
  static_cast<TlsEngine*>(engine)->asked_ = true;
  return 1;
}

std::string TlsEngine::about_our_certificate() const {
  if (!asked_) return "";
  if (shows_.empty()) return "; the server requested a client certificate, and none is set";
  return "; the server requested a client certificate, and got the one in " + shows_;
}

std::string TlsEngine::about_peer() const {
  std::string text = std::string(SSL_get_version(ssl_.get())) + ", " +
                     SSL_CIPHER_get_name(SSL_get_current_cipher(ssl_.get()));
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return text;
  const char* resumed = SSL_session_reused(ssl_.get()) == 1 ? "; session resumed" : "";
  return text + resumed + "; certificate of " + about(certificate);
}

TlsEngine::Step TlsEngine::stopped(int result, const char* doing) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step::want_input;
    case SSL_ERROR_ZERO_RETURN:
      return Step::closed;
    default:
      break;
  }
  if (!failed_ && refused_) {
    failure_ = *refused_;
  } else if (!failed_) {  // the first failure is the cause of all others
    failure_.kind = TransportFailure::Kind::tls_failed;
    const auto code = ERR_peek_error();
    const bool alert =
        ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET;
    failure_.detail = std::string(doing) + " with " + peer_ + " failed: " +
                      (speaks_http() ? std::string("it speaks plain HTTP: use http:// in the URL")
                                     : openssl_words(kBrokenOff));
    if (alert) failure_.detail += about_our_certificate();
  }
  failed_ = true;
  ERR_clear_error();
  return Step::failed;
}

TlsEngine::Step TlsEngine::handshake() {
  if (!ssl_) return Step::failed;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return stopped(result, "the TLS handshake");
  if (demand_.host.empty()) return Step::done;  // a server
  // Before TLS 1.3 a session can be resumed again, and the server need not send another.
  const bool reused = SSL_session_reused(ssl_.get()) == 1;
  if (reused && sessions_ && SSL_version(ssl_.get()) < TLS1_3_VERSION)
    sessions_->put(peer_, TlsSession(SSL_get1_session(ssl_.get())));
  if (!reused || check_resumed()) return Step::done;
  if (refused_) failure_ = *refused_;
  failed_ = true;
  return Step::failed;
}

/// Whether the peer answered with plain HTTP instead of TLS.
bool TlsEngine::speaks_http() const noexcept {
  return SSL_is_init_finished(ssl_.get()) != 1 && first_bytes_ == kHttp;
}

void TlsEngine::feed(std::span<const char> bytes) {
  const auto missing = std::min(kHttp.size() - first_bytes_.size(), bytes.size());
  first_bytes_.append(bytes.data(), missing);
  BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
}

bool TlsEngine::write(std::string_view plain) {
  while (!plain.empty()) {
    const auto part = plain.substr(0, std::size_t{1} << 20);
    ERR_clear_error();
    const int result = SSL_write(ssl_.get(), part.data(), static_cast<int>(part.size()));
    if (result <= 0) {
      stopped(result, "TLS");
      return false;
    }
    plain.remove_prefix(static_cast<std::size_t>(result));
  }
  return true;
}

TlsEngine::Step TlsEngine::read(std::span<char> buffer, std::size_t& size) {
  ERR_clear_error();
  const auto room = std::min<std::size_t>(buffer.size(), INT_MAX);
  const int result = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(room));
  if (result <= 0) return stopped(result, "TLS");
  size = static_cast<std::size_t>(result);
  return Step::done;
}

bool TlsEngine::holds_input() const noexcept {
  return SSL_has_pending(ssl_.get()) == 1 || BIO_ctrl_pending(in_) > 0;
}

TlsEngine::Step TlsEngine::peek() {
  char byte = 0;
  ERR_clear_error();
  const int result = SSL_peek(ssl_.get(), &byte, 1);
  return result == 1 ? Step::done : stopped(result, "TLS");
}

TlsEngine::Step TlsEngine::give_up(const std::string& why) {
  if (!failed_) failure_.detail = "TLS with " + peer_ + " was aborted: " + why;
  failed_ = true;
  return Step::failed;
}

void TlsEngine::close() {
  if (!ssl_ || SSL_is_init_finished(ssl_.get()) != 1) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsEngine::output() {
  std::string bytes;
  output_to(bytes);
  return bytes;
}

void TlsEngine::output_to(std::string& out) {
  if (!ssl_) return;
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out_, &data);
  if (size <= 0) return;
  out.append(data, static_cast<std::size_t>(size));
  BIO_reset(out_);
}

}  // namespace skewguard::net
