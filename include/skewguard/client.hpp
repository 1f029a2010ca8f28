#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "skewguard/executor.hpp"
#include "skewguard/export.hpp"
#include "skewguard/http.hpp"
#include "skewguard/log.hpp"
#include "skewguard/report.hpp"
#include "skewguard/result.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"
#include "skewguard/token_store.hpp"
#include "skewguard/transport.hpp"

namespace SKEWGUARD_API skewguard {

/// How errors and token requests are worded.
enum class DialectName {
  genesys,  ///< the platform's own ways (Basic of the raw id and secret), and RFC 6749's and 6750's
  rfc6749,  ///< RFC 6749 sections 2.3.1, 4.4 and 5, RFC 6750 section 3
};

/// How the login host is told who asks (RFC 6749 section 2.3.1).
enum class ClientAuth {
  basic,  ///< id and secret in Authorization: Basic
  post,   ///< id and secret as fields of the form
  none,   ///< the id alone, as a field of the form: a client without a secret
};

/// The outgoing proxy. Every connection begins at it and is a tunnel (CONNECT) to the host, with
/// TLS to the host inside: of an https:// URL the proxy sees the host and the port alone.
struct ProxyOptions {
  std::string url;       ///< "http://proxy.example:3128", without user and password; empty = none
  Secret credentials;    ///< "user:password"; sent to the proxy alone (Basic); empty = none
  std::string no_proxy;  ///< hosts reached directly: "localhost,.example.com,10.0.0.0/8", "*" = all
  bool https_only = false;  ///< http:// URLs are reached directly, as HTTPS_PROXY has it
};

/// Everything a client needs to know. Plain data; each default says why.
struct ClientOptions {
  std::string login_url;  ///< scheme://host[:port][/path]; "https://login.mypurecloud.ie"
  std::string api_url;    ///< "https://api.mypurecloud.ie"
  std::string region;     ///< as the user gave it, for explanations; may be empty
  std::string token_path = "/oauth/token";  ///< after login_url; begins with a slash
  /// More form fields of the token request. One named grant_type stands in place of
  /// client_credentials; none may be named client_id or client_secret.
  std::vector<std::pair<std::string, std::string>> token_params;
  DialectName dialect = DialectName::genesys;
  ClientAuth client_auth = ClientAuth::basic;
  /// Visible ASCII and blanks, as the secrets. No colon where the genesys dialect sends it as
  /// Basic.
  std::string client_id;
  /// Sent to the login host alone. Where it refuses one, the next is tried: give the old and the
  /// new secret while you replace it. Empty = a public client, which has none.
  std::vector<Secret> client_secrets;
  Secret access_token;           ///< a given token: neither login_url nor client is needed, and it
                                 ///< cannot be refreshed
  std::string ca_file;           ///< PEM bundle; empty = the system's
  std::string client_cert_file;  ///< PEM chain for hosts that ask for one (mTLS), own first
  std::string client_key_file;   ///< PEM, not encrypted; both or neither
  ProxyOptions proxy;
  /// Of a whole call, above zero, at most 24 h: room for one wait and two tries.
  Duration timeout = std::chrono::seconds{30};
  /// For a token that is not valid yet, 0 to 24 h; longer ones give up (`clock`).
  Duration max_wait = std::chrono::seconds{15};
  /// Most tokens that one call may have refused, at least 1. Waiting for a token and sending it
  /// again does not count.
  int attempts = 3;
  /// How late a Date may be, 0 to 24 h: date strings are cached.
  Duration staleness = std::chrono::seconds{1};
  bool insecure_http = false;  ///< allow http:// beyond loopback
  /// Where Client::token asks whether the API accepts a token: a path after api_url, asked with
  /// GET; begins with a slash, and needs a token but no permission. Empty = HEAD /api/v2/tokens/me
  /// with the genesys dialect, and with rfc6749 nobody is asked.
  std::string verify_path;
  /// NTP servers, HOST[:PORT], that are asked what time it is where a certificate fails on its time
  /// alone, and beside them both hosts over plain HTTP, port 80, for their Date. Nothing = those
  /// that this machine's time service is configured with, else pool.ntp.org. Empty = nobody is
  /// asked, the hosts neither.
  std::optional<std::vector<std::string>> ntp;
};

/// A rejection as it arrives (provisional: nothing is settled yet).
struct Rejection {
  std::string method;
  std::string url;                  ///< absolute; of the login host for a token request
  ReportedAttempt attempt;          ///< its verdict is the likeliest of `candidates` so far
  std::vector<Verdict> candidates;  ///< what the evidence still allows
};

/// Called on the control loop: they must not block, and may not call back into the client. What
/// they throw is dropped. One that releases the last Client ends it: calls under way get their
/// answer, or `cancelled`.
struct Hooks {
  std::function<void(const Rejection&)> on_rejection{};  ///< at once, provisional
  std::function<void(const CallReport&)> on_resolved{};  ///< when a call with a rejection has ended
  LogSink log{};
  LogLevel log_level = LogLevel::info;  ///< `log` gets this and what weighs more
};

/// What stands between the client and the world; each may be left empty for the real thing. They
/// live as long as the client and what it has under way.
struct Dependencies {
  std::shared_ptr<Executor> executor;  ///< the user's own loop; empty = a thread of ours
  std::shared_ptr<ClockSource> clock;  ///< empty = the kernel's clocks
  /// Called once, at the first call, on the caller's thread. Needed where `executor` is given.
  std::function<std::unique_ptr<Transport>(Executor&)> transport;
  std::shared_ptr<TokenStore> store;              ///< empty = tokens are not kept
  std::shared_ptr<DisruptionSource> disruptions;  ///< empty = the hypervisor's, where there is one
  /// Called as `transport` is, with what that gave. Empty = ClientOptions::ntp, or nobody where
  /// `transport` is given.
  std::function<std::unique_ptr<Referee>(Executor&, Transport&)> referee;
  /// Asked on the loop before a token is asked for; it must not block. Other secrets of the same
  /// client from now on, in the order in which they are tried; an error is logged, and the old ones
  /// stay; nothing: they are as they were. What it throws is dropped.
  using FreshSecrets = std::optional<Result<std::vector<Secret>>>;
  std::function<FreshSecrets()> fresh_secrets;
};

/// A request relative to the API base URL.
struct Request {
  std::string method = "GET";         ///< RFC 9110 section 9, upper case
  std::string path;                   ///< "/api/v2/tokens/me?expand=..."
  Headers headers{};                  ///< Authorization is ours
  std::string body{};                 ///< sent again byte for byte where a retry is safe
  std::optional<Duration> timeout{};  ///< else ClientOptions::timeout; taken as 0 to 24 h
};

/// Any answer of the API host, whatever its status, with the report of how it came about. A body
/// that came with a Content-Encoding (gzip, deflate) though the request names no Accept-Encoding is
/// decoded, at most 16 MiB of it, and the fields that speak of the coded one are dropped.
struct Response {
  int status = 0;  ///< 200..999
  Headers headers;
  std::string body;
  CallReport report;
};

/// Which token will do.
struct TokenRequestOptions {
  /// Refresh if less is left. A new one that has less is the error `protocol`, a given one
  /// `config`.
  Duration min_life{0};
  bool force_refresh = false;  ///< a new one, whatever is left of the old; given: `config`
  /// Hand out only what the API accepts now: a token that it never accepted is sent once in a
  /// guarded request first (ClientOptions::verify_path), and what waiting or renewing cures is
  /// cured. However many ask, each token is verified once. False: the token as it is, at once, even
  /// if the API may not take it yet.
  bool verify = true;
};

/// An access token that the API accepts, unless it was asked for unverified.
struct BearerToken {
  Secret value;
  std::string token_type;  ///< "Bearer" (RFC 6750)
  /// Of its life, >= 0, by CLOCK_BOOTTIME. Of a given JWT by the API's clock, where an answer has
  /// shown it, else by the local wall clock; never over exp - iat.
  Duration remaining{0};
  WallTime expires_at{};  ///< by the local wall clock, for people
  /// From the login host, from TokenStore, or ClientOptions::access_token.
  enum class Source { login, store, given } source = Source::login;
};

/// The token that may be sent now, borrowed: Client::lease().
struct Lease {
  std::string_view token;          ///< as it is
  std::string_view authorization;  ///< "Bearer ...": a value of the Authorization header
  Instant until{};                 ///< it is not to be sent from here on, by CLOCK_BOOTTIME
};

/// One request that carries a token, for an HTTP stack of the user's own: Client::guard().
struct Bearer {
  std::string token;          ///< as it is; keep it out of logs
  std::string authorization;  ///< "Bearer ...": a value of the Authorization header
  Instant deadline{};         ///< of the whole call, by CLOCK_BOOTTIME
};

/// What is to be known of a request that the user's own HTTP stack sends.
struct GuardOptions {
  /// As it is sent. GET and HEAD may be sent again after a broken connection; what is empty or
  /// another one is sent again only where the API has surely done nothing (401, 429).
  std::string method;
  std::string path = "/";             ///< relative to the API base URL: for reports, and for looks
  std::optional<Duration> timeout{};  ///< else ClientOptions::timeout
};

/// Something under way that may be withdrawn. Copies name the same; letting go of it ends nothing.
class Operation {
 public:
  Operation() = default;  ///< names nothing
  /// `cancel` may come more than once, on any thread, and must not throw.
  explicit Operation(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  /// Its handler gets `cancelled`, unless it has got something else by then. Thread-safe; nothing
  /// happens where the client has gone.
  void cancel() const {
    if (cancel_) cancel_();
  }

 private:
  std::function<void()> cancel_;
};

/// Keeps one identity authenticated against one API. Thread-safe; cannot be copied; one that was
/// moved from may only be assigned to or destroyed. Starts one named thread at the first call,
/// unless it is given a loop; destruction ends it, and calls under way get `cancelled`. No member
/// throws: where threads, sockets or memory are out, that is the error `unavailable`.
class Client {
 public:
  /// From the environment, the profile file and the files that they name (docs/guide/settings.md).
  /// Nothing is sent. Where the secret stands in a file, that file is read again whenever it has
  /// changed. Error: `config`.
  /// With a token store of `file` in the settings, what does not work of it goes to Hooks::log.
  /// `dependencies` is called once the options are known and gives those of your own, as for
  /// make(): a loop, say, with a transport on it. What it leaves empty comes from the settings.
  /// Asio's is in asio.hpp: client_from_environment().
  static Result<Client> from_environment(
      Hooks hooks = {},
      const std::function<Dependencies(const ClientOptions& options)>& dependencies = {});
  /// Checks the options; nothing is sent, no thread is started. Error: `config`.
  static Result<Client> make(ClientOptions options, Hooks hooks = {},
                             Dependencies dependencies = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Blocks at most until the deadline, and a second more where the loop itself hangs. An error
  /// only where the API host gave no usable answer; a 401 that stayed is a Response, and `failure`
  /// of it says what kind. Errors: any but `forbidden`; `config` also from the client's own loop,
  /// which may not wait for itself.
  Result<Response> call(Request request);
  /// GET of this path, as call().
  Result<Response> get(std::string path);
  /// A token that the API accepts now (TokenRequestOptions::verify); blocks at most for
  /// ClientOptions::timeout. Errors as call(), and `forbidden`.
  Result<BearerToken> token(TokenRequestOptions options = {});
  /// One call through the user's own HTTP stack: `send` is run on this thread, once for each
  /// sending, and returns the answer, or why there is none. Exchange::sent and received are filled
  /// in where `send` leaves them out; nearer to the socket they tell more of the clocks. One that
  /// throws ends the call with `cancelled`. Blocks as call() does, and for as long as `send` does.
  Result<Response> guard(const std::function<SendResult(const Bearer&)>& send,
                         GuardOptions options = {});

  /// The same without blocking. The handler is called exactly once, on the control loop, never from
  /// within the call that takes it (but where no loop can be started); it must not block. What it
  /// throws is dropped. asio.hpp has them for any completion token.
  using ResponseHandler = std::function<void(Result<Response>)>;
  using TokenHandler = std::function<void(Result<BearerToken>)>;
  /// Starts one sending, on the control loop; calls the function that it gets once, from anywhere
  /// (a second answer, and one after the end of the client, is ignored). One that throws ends the
  /// call with `cancelled`.
  using Sender = std::function<void(Bearer, std::function<void(SendResult)>)>;
  Operation async_call(Request request, ResponseHandler handler);
  Operation async_token(TokenRequestOptions options, TokenHandler handler);
  Operation async_guard(Sender sender, GuardOptions options, ResponseHandler handler);

  /// The token that may be sent at `now`, for hot paths: no lock, no allocation and no write to
  /// shared memory for as long as the token stays the same. Null where none is at hand: then ask
  /// token(), which fetches one; what is read here is kept fresh from then on. What it points to is
  /// good until this thread's next lease() of any client, even past the end of this client.
  [[nodiscard]] const Lease* lease(Instant now) noexcept;
  /// CLOCK_BOOTTIME now.
  [[nodiscard]] Instant now() const noexcept;
  /// All clocks of this machine now: for Exchange::sent and received, read at the socket.
  /// Thread-safe.
  [[nodiscard]] Now read_clocks() const noexcept;

  /// Other secrets of the same client, in the order in which they are tried. They count from the
  /// next token request on; where the old ones were refused, that is at once. A token that lives is
  /// kept. Error (`config`): there is none, or one that cannot be sent. Thread-safe.
  Result<void> reload(std::vector<Secret> secrets);
  /// The same from where from_environment() had them: a file may have changed. Error (`config`):
  /// they cannot be read, or the client was made otherwise.
  Result<void> reload();

  /// As they were given, without `client_secrets`.
  [[nodiscard]] const ClientOptions& options() const noexcept;

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The error that a response amounts to, with its report; nothing for exit code 0. Kinds by exit
/// code as in docs/guide/verdicts.md.
std::optional<Error> failure(const Response& response);

}  // namespace skewguard
