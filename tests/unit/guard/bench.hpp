#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/strings.hpp"
#include "clocks/clock_view.hpp"
#include "clocks/sample_of.hpp"
#include "guard/call_machine.hpp"
#include "oauth/rfc6749_dialect.hpp"
#include "time/duration_text.hpp"
#include "time/http_date.hpp"

/// A login host, an API host, a network and a local machine, each with its own clock, on virtual
/// time: drives a CallMachine in tests. The API judges tokens by its own clock.
namespace skewguard::guard::testing {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Duration kEpoch = seconds{1'767'268'800};  // 2026-01-01T12:00:00Z

/// The body of the API's own error; markup stays as it is.
inline std::string body_of(const std::string& code) {
  return code.empty() || code.starts_with('<') ? code : "{\"code\":\"" + code + "\"}";
}

/// RFC 6749 and 6750, with a body that names its code, as Genesys does.
class TestDialect final : public oauth::Dialect {
 public:
  [[nodiscard]] HttpRequest request(const oauth::Grant& grant,
                                    std::string_view token_url) const override {
    return rfc_.request(grant, token_url);
  }
  [[nodiscard]] Result<oauth::TokenAnswer> token(const clocks::Answer& exchange) const override {
    return rfc_.token(exchange);
  }
  [[nodiscard]] oauth::Refusal login_refusal(const Exchange& exchange) const override {
    return rfc_.login_refusal(exchange);
  }
  [[nodiscard]] oauth::Refusal api_refusal(const Exchange& exchange, std::string_view path,
                                           bool managed) const override {
    oauth::Refusal refusal = rfc_.api_refusal(exchange, path, managed);
    if (refusal.error_code == "authentication.request.timeout") {
      refusal.kind = oauth::Refusal::Kind::backend_unavailable;
    }
    const bool names_permission = refusal.error_code == "missing.permissions";
    if (names_permission) refusal.permissions = {"routing:queue:view"};
    if (managed && path == "/api/v2/users/me" && exchange.status >= 400 && exchange.status != 401 &&
        !names_permission) {
      refusal.kind = oauth::Refusal::Kind::no_user_context;
    }
    return refusal;
  }

 private:
  oauth::Rfc6749Dialect rfc_;
};

/// A scripted answer of the API; fields not set are as an honest API would send them.
struct Reply {
  int status = 200;
  std::string code{};  ///< of the body, or the page that it is
  Headers headers{};
  std::optional<TransportFailure::Kind> failure{};
  std::optional<TimeReport> time_report{};  ///< what a referee reports
};

class Bench {
 public:
  // The truth ---------------------------------------------------------------------------------
  Duration login_offset{0};
  Duration api_offset{0};
  Duration wall_offset{0};  ///< of the local wall clock
  Duration rtt = milliseconds{40};
  Duration life = seconds{300};
  bool jwt = false;
  bool judges_begin = true;  ///< whether the API refuses a token that has not begun
  bool judges_end = true;
  /// Tokens are accepted from this long after their issue.
  Duration spreads_after{0};
  std::set<std::uint64_t> revoked;
  bool refuses_all = false;
  std::string refusal = "bad.credentials";  ///< what it says where it refuses a token
  std::optional<Verdict> login_denies;
  std::optional<Duration> pause_left;  ///< no token was asked for, since others had been refused
  Duration held_up{0};                 ///< what a token that replaces a refused one waits for

  // The API's Date ----------------------------------------------------------------------------
  enum class Dates { honest, none, frozen, late, two, with_age };
  Dates dates = Dates::honest;
  Duration frozen_at = kEpoch;
  Duration late_by{0};

  /// The fixed Date of a login host whose Date is not from a clock.
  std::optional<Duration> login_date;

  /// Answers sent before the honest ones.
  std::deque<Reply> replies;
  std::optional<Reply> check_reply;  ///< to a check of a new token, in place of the honest one
  /// Backends behind the API's name, in turn: added to api_offset.
  std::vector<Duration> backends;

  // What a caller had before --------------------------------------------------------------------
  bool has_token = false;  ///< a token accepted before, `token_age` old
  Duration token_age = seconds{60};
  unsigned early_ends_before = 0;  ///< of the tokens before that one
  bool given = false;
  std::optional<oauth::JwtClaims> given_claims;
  Duration first_use_in{0};

  CallOptions options;
  HttpRequest request;

  // What came of it ------------------------------------------------------------------------------
  std::vector<std::string> log;  ///< every action, in order
  std::vector<HttpRequest> sent, looks, checks;
  std::vector<Instant> sent_at, send_deadlines;
  std::vector<action::NeedToken> wants;
  std::map<std::uint64_t, std::vector<Instant>> refusals;  ///< when each token was sent in vain
  std::vector<Rejection> rejections;
  std::vector<oauth::TokenEvent> facts;
  std::vector<LogLine> lines;
  std::optional<action::Finish> end;
  int requests = 0;  ///< to the login host
  bool cancel_after_first = false;
  bool wakes_early = false;  ///< the first timer fires at once
  Duration wakes_late{0};    ///< so much later than asked for does the first timer fire
  std::function<void(Bench&)> before_look;
  /// The caller has sent the request itself, with its token, or with one that nobody knows any
  /// more.
  bool resumes = false;
  bool token_unknown = false;
  std::string answers_as = "https://api.example";  ///< the origin of what answers
  std::deque<std::uint64_t> delivered;             ///< generations that the first NeedTokens bring
  bool replaced_while_it_waits = false;            ///< by another caller: the first token of all

  Bench() : api(book.id("https://api.example")), login(book.id("https://login.example")) {
    options.max_wait = seconds{15};
    request.url = "https://api.example/api/v2/things?size=2";
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  clocks::ClockBook book;
  ServerId api, login;
  TestDialect dialect;

  [[nodiscard]] Now now() const {
    Now n;
    n.boot = Instant{elapsed_ + hours{1}};
    n.mono = MonotonicTime{elapsed_ + hours{1}};
    n.raw = RawTime{elapsed_ + hours{1}};
    n.wall = WallTime{kEpoch + elapsed_ + wall_offset};
    return n;
  }
  [[nodiscard]] Duration login_clock() const { return kEpoch + elapsed_ + login_offset; }
  [[nodiscard]] Duration api_clock() const {
    const Duration backend = backends.empty() ? Duration{0} : backends[answered_ % backends.size()];
    return kEpoch + elapsed_ + api_offset + backend;
  }

  /// Runs one call to its end.
  const CallReport& run(Duration timeout = seconds{30}) {
    options.deadline = now().boot + timeout;
    options.given_token = given;
    if (given || has_token) tokens_[1] = given ? given_token() : old_token();
    CallMachine machine(request, options, dialect, api, login);
    CallEvent next = resumes ? resumed() : event::Start{};
    for (int i = 0; i < 1000 && !end; ++i)
      next = perform(machine.step(next, clocks::ClockView(book, now())));
    if (!end) log.push_back("never ends");
    static const CallReport kNothing;
    return end ? end->report : kNothing;
  }
  void advance(Duration d) { elapsed_ += d; }

 private:
  CallEvent resumed() {
    event::TokenReady with =
        ready(tokens_.empty() ? issue() : tokens_.begin()->second, has_token, 0);
    action::Send send{request, {}};
    send.request.authorization = oauth::bearer_authorization(with.token->value);
    auto answered = std::get<event::Answered>(perform(send));
    if (token_unknown) with.token = nullptr;
    return event::Resumed{std::move(with), std::move(answered.answer)};
  }
  CallEvent perform(CallStep step) {
    for (auto& r : step.rejections) rejections.push_back(std::move(r));
    for (auto& f : step.facts) facts.push_back(f);
    for (auto& l : step.log) lines.push_back(std::move(l));
    if (cancel_after_first && !sent.empty() && !std::holds_alternative<action::Finish>(step.action))
      return event::Cancelled{};
    return std::visit([this](auto& a) { return perform(a); }, step.action);
  }

  CallEvent perform(action::NeedToken& need) {
    log.push_back("need " + std::to_string(need.after));
    wants.push_back(need);
    if (!delivered.empty()) {
      const std::uint64_t generation = delivered.front();
      delivered.pop_front();
      while (!tokens_.contains(generation)) issue();
      return ready(tokens_.at(generation), has_token, 0);
    }
    const auto found = std::find_if(tokens_.upper_bound(need.after), tokens_.end(),
                                    [this](const auto& entry) { return lives(*entry.second); });
    if (found != tokens_.end()) return ready(found->second, has_token, 0);
    if (login_denies) {
      event::TokenFailed failed;
      failed.failure = oauth::token_failure(*login_denies, "the login host says no");
      if (pause_left) failed.failure.next_request = now().boot + *pause_left;
      return failed;
    }
    if (!sent.empty()) elapsed_ += held_up;
    auto fresh = ready(issue(), false, 1);
    if (!sent.empty()) fresh.held_up = held_up;
    return fresh;
  }
  /// A first token may have expired on its way to the call.
  [[nodiscard]] bool lives(const oauth::Token& token) const {
    return sent.empty() || token.given || now().boot < token.dead_at();
  }
  event::TokenReady ready(oauth::TokenPtr token, bool accepted, int fetched) {
    event::TokenReady out;
    out.token = std::move(token);
    out.accepted_before = accepted && out.token->generation == 1;
    out.token_requests = fetched;
    if (out.accepted_before) out.early_ends_before = early_ends_before;
    if (fetched > 0) out.first_use = now().boot + first_use_in;
    return out;
  }

  CallEvent perform(action::Send& send) {
    const std::string value(send.request.authorization.reveal());
    const std::uint64_t generation = std::stoull(value.substr(value.rfind('-') + 1));
    log.push_back("send " + std::to_string(generation));
    sent.push_back(send.request);
    sent_at.push_back(now().boot);
    send_deadlines.push_back(send.options.deadline);
    const Now left = now();
    elapsed_ += rtt / 2;
    Reply reply = judge(*tokens_.at(generation));
    if (!replies.empty()) {
      reply = replies.front();
      replies.pop_front();
    }
    if (reply.status == 401) refusals[generation].push_back(sent_at.back());
    if (reply.failure) {
      elapsed_ += rtt / 2;
      return event::Failed{
          {*reply.failure, "no answer from api.example:443", true, {}, {}, reply.time_report}};
    }
    return answer(reply, left);
  }
  CallEvent perform(action::Look& look) {
    log.push_back("look");
    if (before_look) before_look(*this);
    looks.push_back(look.request);
    const Now left = now();
    elapsed_ += rtt / 2;
    return answer({401, {}, {}, {}}, left);
  }
  CallEvent perform(action::Check& check) {
    const std::string value(check.request.authorization.reveal());
    const std::uint64_t generation = std::stoull(value.substr(value.rfind('-') + 1));
    log.push_back("check " + std::to_string(generation));
    checks.push_back(check.request);
    const Now left = now();
    elapsed_ += rtt / 2;
    const Reply reply = check_reply.value_or(judge(*tokens_.at(generation)));
    if (!reply.failure) return answer(reply, left);
    elapsed_ += rtt / 2;
    return event::Failed{{*reply.failure, "no answer from api.example:443", true}};
  }
  CallEvent perform(action::Sleep& sleep) {
    log.push_back("sleep " + time::human(sleep.until - now().boot));
    if (std::exchange(wakes_early, false)) return event::Woke{};
    elapsed_ = std::max(elapsed_, sleep.until.time_since_epoch() - hours{1});
    elapsed_ += std::exchange(wakes_late, Duration{0});
    if (std::exchange(replaced_while_it_waits, false)) {
      issue();
      tokens_.erase(tokens_.begin());
    }
    return event::Woke{};
  }
  CallEvent perform(action::Finish& finish) {
    end = std::move(finish);
    return event::Woke{};
  }

  Reply judge(const oauth::Token& token) {
    const Duration here = api_clock();
    const bool begun = !judges_begin || !token.begins || here >= token.begins->since_epoch();
    const bool ended = judges_end && token.ends && here >= token.ends->since_epoch();
    const bool spread = now().boot >= token.received + spreads_after;
    const bool good =
        begun && !ended && spread && !refuses_all && !revoked.contains(token.generation);
    return good ? Reply{} : Reply{401, refusal, {}, {}};
  }

  CallEvent answer(const Reply& reply, const Now& left) {
    Exchange exchange;
    exchange.status = reply.status;
    exchange.body = body_of(reply.code);
    exchange.headers = reply.headers;
    exchange.origin = answers_as;
    exchange.sent = left;
    if (!exchange.headers.find("Date")) add_date(exchange.headers);
    ++answered_;
    elapsed_ += rtt / 2;
    exchange.received = now();
    auto answer = std::make_shared<clocks::Answer>(std::move(exchange));
    if (answer->sample()) book.observe(api, *answer->sample());
    return event::Answered{std::move(answer)};
  }
  void add_date(Headers& headers) const {
    const auto text = [](Duration t) {
      return time::format_http_date(std::chrono::floor<seconds>(t));
    };
    switch (dates) {
      case Dates::honest:
        return headers.add("Date", text(api_clock()));
      case Dates::none:
        return;
      case Dates::frozen:
        return headers.add("Date", text(frozen_at));
      case Dates::late:
        return headers.add("Date", text(api_clock() - late_by));
      case Dates::two:
        headers.add("Date", text(api_clock()));
        return headers.add("Date", text(api_clock() - hours{5}));
      case Dates::with_age:
        headers.add("Age", "7");
        return headers.add("Date", text(api_clock() - seconds{7}));
    }
  }

  oauth::TokenPtr issue() {
    ++requests;
    const Now left = now();
    elapsed_ += rtt / 2;
    const Duration issued = std::chrono::floor<seconds>(login_clock());
    Exchange exchange;
    exchange.status = 200;
    exchange.sent = left;
    const Duration date = login_date.value_or(issued);
    exchange.headers.add("Date", time::format_http_date(std::chrono::floor<seconds>(date)));
    elapsed_ += rtt / 2;
    exchange.received = now();
    if (const auto sample = clocks::sample_of(exchange)) book.observe(login, *sample);
    const std::uint64_t generation = tokens_.empty() ? 1 : tokens_.rbegin()->first + 1;
    return tokens_[generation] = make(generation, left, issued);
  }
  oauth::TokenPtr make(std::uint64_t generation, const Now& asked, Duration issued) {
    auto token = std::make_shared<oauth::Token>();
    token->value = Secret("secret-token-" + std::to_string(generation));
    token->generation = generation;
    token->sent = asked.boot;
    token->received = now().boot;
    token->sent_wall = asked.wall;
    token->expires_in = life;
    token->life = life;
    const Duration date = std::chrono::floor<seconds>(login_date.value_or(issued));
    token->issuer_date = ServerTime{login, date};
    token->begins = ServerTime{login, jwt ? issued : date};
    token->ends = ServerTime{login, (jwt ? issued : date) + life};
    if (jwt) token->claims = oauth::JwtClaims{issued, issued, issued + life};
    return token;
  }
  /// One that was asked for `token_age` ago.
  oauth::TokenPtr old_token() {
    Now asked = now();
    asked.boot -= token_age;
    asked.wall -= token_age;
    const Duration issued = std::chrono::floor<seconds>(login_clock() - token_age);
    auto token = std::make_shared<oauth::Token>(*make(1, asked, issued));
    token->received = asked.boot + rtt;
    return token;
  }
  oauth::TokenPtr given_token() {
    auto token = std::make_shared<oauth::Token>();
    token->value = Secret("secret-token-1");
    token->generation = 1;
    token->given = true;
    token->sent = token->received = now().boot;
    token->life = hours{24};
    token->claims = given_claims;
    if (given_claims) {
      if (given_claims->nbf) token->begins = ServerTime{login, *given_claims->nbf};
      if (given_claims->exp) token->ends = ServerTime{login, *given_claims->exp};
    }
    return token;
  }

  Duration elapsed_{0};
  std::size_t answered_ = 0;
  std::map<std::uint64_t, oauth::TokenPtr> tokens_;
};

/// The facts of one kind that a call reported to the token machine.
template <typename Fact>
std::vector<Fact> facts_of(const Bench& bench) {
  std::vector<Fact> out;
  for (const auto& fact : bench.facts)
    if (const auto* one = std::get_if<Fact>(&fact)) out.push_back(*one);
  return out;
}

}  // namespace skewguard::guard::testing
