#pragma once

#include <atomic>
#include <cstdint>
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
#include "skewguard/status.hpp"
#include "skewguard/time.hpp"
#include "skewguard/token_store.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {
class Publication;
}

namespace SKEWGUARD_API skewguard {

/// The wording of token requests and errors.
enum class DialectName {
  genesys,  ///< the platform's own ways (Basic of the raw id and secret), and RFC 6749's and 6750's
  rfc6749,  ///< RFC 6749 sections 2.3.1, 4.4 and 5, RFC 6750 section 3
};

/// How the client identifies itself to the login host (RFC 6749 section 2.3.1).
enum class ClientAuth {
  basic,  ///< id and secret in Authorization: Basic
  post,   ///< id and secret as fields of the form
  none,   ///< only the id, as a field of the form: a client without a secret
};

/// The outgoing proxy. Every connection is a tunnel (CONNECT) through it to the host, with TLS to
/// the host inside: the proxy sees only the host and the port of an https:// URL.
struct ProxyOptions {
  std::string url;       ///< "http://proxy.example:3128", without user and password; empty = none
  Secret credentials;    ///< "user:password"; sent only to the proxy (Basic); empty = none
  std::string no_proxy;  ///< hosts reached directly: "localhost,.example.com,10.0.0.0/8", "*" = all
  bool https_only = false;  ///< http:// URLs are reached directly, as HTTPS_PROXY has it
};

/// The options of a client. Plain data; each default has its reason.
struct ClientOptions {
  std::string login_url;  ///< scheme://host[:port][/path]; "https://login.mypurecloud.ie"
  std::string api_url;    ///< "https://api.mypurecloud.ie"
  std::string region;     ///< as the user gave it, for explanations; may be empty
  std::string token_path = "/oauth/token";  ///< after login_url; begins with a slash
  /// Additional form fields of the token request. grant_type replaces client_credentials; client_id
  /// and client_secret are not allowed.
  std::vector<std::pair<std::string, std::string>> token_params;
  DialectName dialect = DialectName::genesys;
  ClientAuth client_auth = ClientAuth::basic;
  /// Visible ASCII and spaces, like the secrets. Must not contain a colon if the genesys dialect
  /// sends it as Basic.
  std::string client_id;
  /// Sent only to the login host. If it rejects one, the next is tried: give the old and the new
  /// secret while you replace it. Empty = a public client, which has none.
  std::vector<Secret> client_secrets;
  Secret access_token;           ///< a given token: neither login_url nor client is needed, and it
                                 ///< cannot be refreshed
  std::string ca_file;           ///< PEM bundle; empty = the system's
  std::string client_cert_file;  ///< PEM chain for hosts that ask for one (mTLS), own first
  std::string client_key_file;   ///< PEM, not encrypted; both or neither
  ProxyOptions proxy;
  /// Deadline of a whole call; above zero, at most 24 h. Enough for one wait and two tries.
  Duration timeout = std::chrono::seconds{30};
  /// The longest wait for a token that is not valid yet, 0 to 24 h; if it takes longer, the call
  /// gives up (`clock`).
  Duration max_wait = std::chrono::seconds{15};
  /// The most tokens that one call may have refused, at least 1. Waiting for a token and sending it
  /// again does not count.
  int attempts = 3;
  /// How late a Date may be, 0 to 1 h: date strings are cached.
  Duration staleness = std::chrono::seconds{1};
  bool insecure_http = false;  ///< allow http:// beyond loopback
  /// The path that Client::token uses to verify a token, with GET: relative to api_url, starting
  /// with a slash; it should need a token but no permission. Empty = HEAD /api/v2/tokens/me with
  /// the genesys dialect, no verification with rfc6749.
  std::string verify_path;
  /// NTP servers, HOST[:PORT], to ask for the time if a certificate fails only because of its
  /// dates; the Date of both hosts over plain HTTP, port 80, is used as well. Not set = the servers
  /// of this machine's time service, otherwise pool.ntp.org. Empty = nobody is asked, not even the
  /// hosts.
  std::optional<std::vector<std::string>> ntp;
};

/// A rejection as it arrives; its verdict is provisional.
struct Rejection {
  std::string method;
  std::string url;                  ///< absolute; of the login host for a token request
  ReportedAttempt attempt;          ///< its verdict is the likeliest of `candidates` so far
  std::vector<Verdict> candidates;  ///< what the evidence still allows
};

/// Called on the control loop: they must not block or call back into the client. To take what they
/// are told at another time, or on another thread, see event_queue.hpp. Exceptions are dropped. If
/// a hook releases the last Client, calls in progress get their answer, or `cancelled`.
struct Hooks {
  std::function<void(const Rejection&)> on_rejection{};  ///< at once, provisional
  std::function<void(const CallReport&)> on_resolved{};  ///< when a call with a rejection has ended
  LogSink log{};
  LogLevel log_level = LogLevel::info;  ///< `log` gets lines of this level and above
  /// If set, it takes the place of `log_level`, and may change at any time.
  std::shared_ptr<const std::atomic<LogLevel>> changing_log_level{};
};

/// What the client uses to reach the outside; empty ones stand for the real thing. They live as
/// long as the client and its calls in progress.
struct Dependencies {
  std::shared_ptr<Executor> executor;  ///< the user's own loop; empty = a thread of ours
  std::shared_ptr<ClockSource> clock;  ///< empty = the kernel's clocks
  /// Called once, at the first call, on the caller's thread. Required if `executor` is set.
  std::function<std::unique_ptr<Transport>(Executor&)> transport;
  std::shared_ptr<TokenStore> store;              ///< empty = tokens are not kept
  std::shared_ptr<DisruptionSource> disruptions;  ///< empty = the hypervisor's, if there is one
  /// Called like `transport`, with its result. Empty = ClientOptions::ntp, or nobody if `transport`
  /// is set.
  std::function<std::unique_ptr<Referee>(Executor&, Transport&)> referee;
  /// Called on the loop before each token request; it must not block. Returns the client's new
  /// secrets, in the order in which to try them; empty if they have not changed. If it returns an
  /// error, that is logged and the old ones remain. Exceptions are dropped.
  using FreshSecrets = std::optional<Result<std::vector<Secret>>>;
  std::function<FreshSecrets()> fresh_secrets;
};

/// A request relative to the API base URL.
struct Request {
  std::string method = "GET";         ///< RFC 9110 section 9, upper case
  std::string path;                   ///< "/api/v2/tokens/me?expand=..."
  Headers headers{};                  ///< Authorization is ours
  std::string body{};                 ///< resent byte for byte if a retry is safe
  std::optional<Duration> timeout{};  ///< else ClientOptions::timeout; taken as 0 to 24 h
};

/// Any answer of the API host, whatever its status, with the report of the call. If a body has a
/// Content-Encoding (gzip, deflate) although the request has no Accept-Encoding, it is decoded, up
/// to 16 MiB, and the fields that describe the encoded body are removed.
struct Response {
  int status = 0;  ///< 200..999
  Headers headers;
  std::string body;
  CallReport report;
};

/// What kind of token is wanted.
struct TokenRequestOptions {
  /// Refresh if less is left. If a new token has less, the error is `protocol`, for a given one
  /// `config`.
  Duration min_life{0};
  bool force_refresh = false;  ///< a new one, whatever is left of the old; given: `config`
  /// Return only a token that the API accepts now: a token that it never accepted is first sent
  /// once in a guarded request (ClientOptions::verify_path), which waits and renews as needed. Each
  /// token is verified once, however many callers ask. False: return the token at once, even if the
  /// API may not accept it yet.
  bool verify = true;
};

/// An access token that the API accepts, unless verification was turned off.
struct BearerToken {
  Secret value;
  std::string token_type;  ///< "Bearer" (RFC 6750)
  /// Its remaining life, >= 0, by CLOCK_BOOTTIME. For a given JWT, by the API's clock if an answer
  /// has shown it, otherwise by the local wall clock; never over exp - iat.
  Duration remaining{0};
  WallTime expires_at{};  ///< by the local wall clock, for people
  /// From the login host, from TokenStore, or ClientOptions::access_token.
  enum class Source { login, store, given } source = Source::login;
};

/// A borrowed token that may be sent now: Client::lease(), LeaseReader::lease(). Its text is valid
/// as long as the pointer to it; keep it out of logs.
struct Lease {
  std::string_view token;          ///< as it is
  std::string_view authorization;  ///< "Bearer ...": a value of the Authorization header
  Instant until{};                 ///< it is not to be sent from here on, by CLOCK_BOOTTIME
  /// Which of the client's tokens it is: 1, 2, ..., never less than before. A forked process counts
  /// its own. Keep it with the request, for Client::observe() and GuardOptions::first.
  std::uint64_t generation = 0;
};

/// Reads a client's token for one thread, or one worker: like Client::lease(), but what is read is
/// kept here and not per thread, so that a program with many clients or workers never takes a lock
/// while the tokens stay the same. One thread at a time may use it; a copy is another reader. May
/// outlive the client, whose token it then shows until that ends.
class LeaseReader {
 public:
  LeaseReader() = default;  ///< reads nothing

  /// The token that may be sent at `now`; null if there is none. No lock, no allocation and no
  /// write to shared memory while the token stays the same. The pointer is valid until the next
  /// lease() of this reader.
  [[nodiscard]] const Lease* lease(Instant now) noexcept;

 private:
  friend class Client;
  friend class runtime::Publication;
  explicit LeaseReader(std::shared_ptr<runtime::Publication> from) noexcept
      : from_(std::move(from)) {}

  std::shared_ptr<runtime::Publication> from_;
  std::uint64_t version_ = 0;           // of what was read; 0 = nothing yet
  std::shared_ptr<const Lease> lease_;  // null = no token
};

/// The token for one send by the user's own HTTP stack: Client::guard().
struct Bearer {
  std::string token;          ///< as it is; keep it out of logs
  std::string authorization;  ///< "Bearer ...": a value of the Authorization header
  /// Of the whole call, by CLOCK_BOOTTIME; Instant::max() without CallPolicy::limit_sends.
  Instant deadline{};
};

/// What a guarded call may do. The defaults are those of a client; a proxy, whose own clients
/// retry, turns some of it off.
struct CallPolicy {
  /// The request can be sent again. If not (a body that is gone), its answer is judged all the same
  /// and a refused token is replaced for later calls, but this call ends with the answer at hand:
  /// as soon as ClientOptions::verify_path has shown whether the new token works.
  bool replayable = true;
  bool wait_for_rate_limits = true;  ///< after a 429 the request is sent again, when it may be
  /// GET and HEAD are sent again after a 502, 503 or 504 and after a broken connection. 504
  /// `authentication.request.timeout` is retried in any case: nothing has been done.
  bool retry_errors = true;
  /// The deadline also ends a send under way. If not, it limits only what the call waits for
  /// between sends: a body may take as long as it likes.
  bool limit_sends = true;
};

/// An answer to a request that was already sent, with a leased token.
struct FirstAnswer {
  /// Lease::generation of that token. Of one that has been replaced several times since (eight are
  /// remembered) nothing more is known: after a 401 the request is sent with the present token, any
  /// other answer is passed on.
  std::uint64_t generation = 0;
  /// Its head, and of the body of an error so much as there is, at most 64 KiB. `sent` and
  /// `received` show the server's clock, and how long the call has taken; if one is not set, the
  /// Date is not used. `origin`: who answered, if that may be another host than the API (after a
  /// redirect): such an answer is passed on as it is.
  Exchange exchange{};
};

/// What to do about an answer to a request with a leased token: Client::observe().
enum class Observed {
  noted,  ///< nothing: it is not about the token
  judge,  ///< it may be: begin a guarded call with it, GuardOptions::first
};

/// What the client needs to know about a request that the user's own HTTP stack sends.
struct GuardOptions {
  /// The method. GET and HEAD may be sent again after a broken connection; any other, or an empty
  /// one, only if the API has certainly done nothing (401, 429).
  std::string method;
  std::string path = "/";             ///< relative to the API base URL: for reports, and for looks
  std::optional<Duration> timeout{};  ///< else ClientOptions::timeout
  CallPolicy policy{};
  /// The call begins with this answer: it is judged as if the call had sent the request, and the
  /// request is sent (again) only if that may help. The time since Exchange::sent does not shorten
  /// `timeout`, which begins with the call; CallReport::elapsed includes it.
  std::optional<FirstAnswer> first{};
};

/// A call in progress that can be cancelled. Copies refer to the same call; destroying them does
/// not cancel it.
class Operation {
 public:
  Operation() = default;  ///< names nothing
  /// `cancel` may be called more than once, on any thread, and must not throw.
  explicit Operation(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  /// Its handler gets `cancelled`, unless it has already been called. Thread-safe; does nothing if
  /// the client no longer exists.
  void cancel() const {
    if (cancel_) cancel_();
  }

 private:
  std::function<void()> cancel_;
};

/// Keeps one identity authenticated against one API. Thread-safe; not copyable; a moved-from client
/// may only be assigned to or destroyed. Starts one named thread at the first call, unless it is
/// given a loop. The destructor ends the thread, and calls in progress get `cancelled`. No member
/// function throws: running out of threads, sockets or memory is the error `unavailable`.
class Client {
 public:
  /// From the environment, the profile file and the files that they name (docs/guide/settings.md).
  /// Nothing is sent. If the secret is in a file, the file is read again whenever it has changed.
  /// Error: `config`. With the token store `file` in the settings, its failures go to Hooks::log.
  /// `dependencies` is called once the options are known and returns your own dependencies, as for
  /// make(): a loop, say, with a transport on it. Empty ones come from the settings. For Asio, see
  /// client_from_environment() in asio.hpp.
  static Result<Client> from_environment(
      Hooks hooks = {},
      const std::function<Dependencies(const ClientOptions& options)>& dependencies = {});
  /// The same with settings by the names that a profile has ("region", "client_id",
  /// "client_secret", "timeout", ...), which override environment and profile file; "token_params"
  /// ("name=value") may be repeated, "config" and "profile" select the profile. Error (`config`)
  /// also for a name that no setting has.
  using Settings = std::vector<std::pair<std::string, Secret>>;
  static Result<Client> from_settings(
      Settings settings, Hooks hooks = {},
      const std::function<Dependencies(const ClientOptions& options)>& dependencies = {});
  /// Checks the options; nothing is sent, no thread is started. Error: `config`.
  static Result<Client> make(ClientOptions options, Hooks hooks = {},
                             Dependencies dependencies = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Blocks until the deadline at most, plus a second if the loop itself hangs. Returns an error
  /// only if there is no usable answer from the API host; a 401 that could not be cured is a
  /// Response, and failure() classifies it. Errors: any but `forbidden`; `config` also if called on
  /// the client's own loop, which must not wait for itself.
  Result<Response> call(Request request);
  /// GET of this path, like call().
  Result<Response> get(std::string path);
  /// Returns a token that the API accepts now (TokenRequestOptions::verify); blocks for at most
  /// ClientOptions::timeout. Errors like call(), and `forbidden`.
  Result<BearerToken> token(TokenRequestOptions options = {});
  /// One call through the user's own HTTP stack: `send` runs on this thread, once for each attempt,
  /// and returns the answer, or why there is none. Exchange::sent and received are filled in if
  /// `send` does not set them; read close to the socket, they reveal more about the clocks. If
  /// `send` throws, the call ends with `cancelled`. Blocks like call(), and as long as `send` does.
  Result<Response> guard(const std::function<SendResult(const Bearer&)>& send,
                         GuardOptions options = {});

  /// The same without blocking. The handler is called exactly once, on the control loop, never from
  /// within the function that takes it (unless no loop can be started); it must not block.
  /// Exceptions are dropped. asio.hpp has these functions for any completion token.
  using ResponseHandler = std::function<void(Result<Response>)>;
  using TokenHandler = std::function<void(Result<BearerToken>)>;
  /// Starts one send, on the control loop, and calls the function that it is passed once, on any
  /// thread (a second answer, or one after the end of the client, is ignored). If it throws, the
  /// call ends with `cancelled`.
  using Sender = std::function<void(Bearer, std::function<void(SendResult)>)>;
  Operation async_call(Request request, ResponseHandler handler);
  Operation async_token(TokenRequestOptions options, TokenHandler handler);
  Operation async_guard(Sender sender, GuardOptions options, ResponseHandler handler);

  /// The token that may be sent at `now`, for hot paths: no lock, no allocation and no write to
  /// shared memory while the token stays the same. Null if there is none: then call token(), which
  /// fetches one; from the first lease() on, the token is kept fresh. The pointer is valid until
  /// this thread's next lease() on any client, even after the end of this client.
  [[nodiscard]] const Lease* lease(Instant now) noexcept;
  /// A reader of the same tokens for one thread or worker. Thread-safe; nothing is sent.
  [[nodiscard]] LeaseReader reader() const noexcept;
  /// What came of a request with the leased token of this generation: that the API accepted it, and
  /// what its Date says. Call it for each answer; only its head is looked at. `judge` after a 400,
  /// 401, 403, 429 or 504 of the API, whose body may tell more. It never waits or fails, and never
  /// ends the use of a token. No lock, no allocation and no write to shared memory for a 2xx, but
  /// for the first one with each token and four Dates a second. Thread-safe.
  Observed observe(std::uint64_t generation, const AnswerHead& head) noexcept;
  /// Blocks until lease() shows a token of a later generation than `after`, and has one requested
  /// if need be: 0, or the generation of a token that the API has refused. Returns its generation.
  /// For a worker with many requests that need a token, one wait is enough. `timeout`: 0 to 24 h,
  /// else ClientOptions::timeout. Errors like token(), without verification; `config` also if
  /// called on the client's own loop. Thread-safe.
  Result<std::uint64_t> await_lease(std::uint64_t after = 0, std::optional<Duration> timeout = {});
  /// The same without blocking, like async_token(). The lease is there when the handler is called.
  using LeaseHandler = std::function<void(Result<std::uint64_t>)>;
  Operation async_await_lease(std::uint64_t after, std::optional<Duration> timeout,
                              LeaseHandler handler);
  /// What the client knows now and has done so far: for metrics and status pages. Blocks until the
  /// control loop has looked, not for anything on the network. Errors: `cancelled`, `unavailable`;
  /// `config` if called on the client's own loop.
  Result<ClientStatus> status();
  /// The same without blocking, like async_token(), but there is nothing to cancel.
  using StatusHandler = std::function<void(Result<ClientStatus>)>;
  void async_status(StatusHandler handler);
  /// CLOCK_BOOTTIME now.
  [[nodiscard]] Instant now() const noexcept;
  /// A reading of all clocks of this machine, for Exchange::sent and received, taken at the socket.
  /// Thread-safe.
  [[nodiscard]] Now read_clocks() const noexcept;

  /// Replaces the client's secrets, in the order in which to try them. They apply from the next
  /// token request on, which is at once if the old ones were rejected. A token that is still valid
  /// is kept. Error (`config`): there is none, or one that cannot be sent. Thread-safe.
  Result<void> reload(std::vector<Secret> secrets);
  /// The same, reading them again from where from_environment() got them. Error (`config`): they
  /// cannot be read, or the client was made differently.
  Result<void> reload();

  /// As they were given, without `client_secrets` and `access_token`.
  [[nodiscard]] const ClientOptions& options() const noexcept;

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The error that a response stands for, with its report; empty for exit code 0. The kind follows
/// from the exit code (docs/guide/verdicts.md).
std::optional<Error> failure(const Response& response);

}  // namespace skewguard
