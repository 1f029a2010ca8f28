#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clocks/clock_view.hpp"
#include "oauth/rfc6749_dialect.hpp"
#include "oauth/token_machine.hpp"
#include "oauth_testing.hpp"
#include "time/http_date.hpp"

namespace skewguard::oauth {

using namespace std::chrono_literals;

/// Every action of one kind, in order.
template <typename Action>
std::vector<Action> all(const TokenActions& actions) {
  std::vector<Action> found;
  for (const auto& action : actions) {
    if (const auto* one = std::get_if<Action>(&action)) found.push_back(*one);
  }
  return found;
}

/// The only action of one kind; fails the test if there is another number of them.
template <typename Action>
Action only(const TokenActions& actions) {
  const auto found = all<Action>(actions);
  EXPECT_EQ(found.size(), 1U) << "of " << actions.size() << " actions";
  return found.empty() ? Action{} : found.front();
}

/// As on the wire: {"access_token":"t1","expires_in":300}.
inline std::string token_body(const std::string& token, const std::string& expires_in = "300") {
  return R"({"access_token":")" + token + R"(","token_type":"bearer","expires_in":)" + expires_in +
         "}";
}
inline std::string oauth_error_body(const std::string& code, const std::string& words) {
  return R"({"error":")" + code + R"(","error_description":")" + words + "\"}";
}

/// A token machine, its login host's clock and ours. Time moves only by advance().
class Bench {
 public:
  static constexpr const char* kLogin = "https://login.example.com";
  static constexpr const char* kSecret = "s3cr3t-of-the-client";

  explicit Bench(TokenMachineOptions options = {}, const char* secret = kSecret,
                 std::shared_ptr<const Dialect> dialect = std::make_shared<Rfc6749Dialect>())
      : api(book.id("https://api.example.com")), login(book.id(kLogin)) {
    options.token_url = std::string(kLogin) + "/oauth/token";
    if (options.region.empty()) options.region = "mypurecloud.ie";
    machine.emplace(std::move(options),
                    Grants{std::make_shared<ClientCredentials>("my-client", Secret{secret})},
                    std::move(dialect), login);
  }

  clocks::ClockBook book;
  ServerId api;
  ServerId login;
  std::optional<TokenMachine> machine;
  Instant boot{10'000s};
  Duration issuer_offset = 1'767'225'600s;  ///< the issuer's clock minus boot
  Duration wall_offset = 1'767'225'600s;    ///< our wall clock minus boot

  [[nodiscard]] Now now() const { return at(boot); }
  [[nodiscard]] Now at(Instant t) const {
    const Duration d = t.time_since_epoch();
    return {
        .boot = t, .wall = WallTime{d + wall_offset}, .mono = MonotonicTime{d}, .raw = RawTime{d}};
  }
  [[nodiscard]] clocks::ClockView view() const { return {book, now()}; }
  void advance(Duration by) { boot += by; }

  TokenActions step(const TokenEvent& event) {
    TokenActions actions = machine->step(event, view());
    for (const auto& fetch : all<action::StartFetch>(actions)) {
      fetch_ = fetch.fetch;
      sent_ = boot;
      ++fetches;
    }
    return actions;
  }
  TokenActions want(WaiterId waiter, Duration within = 30s) {
    return step(event::Want{.waiter = waiter, .deadline = boot + within});
  }
  TokenActions want_newer(WaiterId waiter, std::uint64_t after, Duration within = 30s) {
    return step(event::Want{.waiter = waiter, .deadline = boot + within, .after = after});
  }
  /// Replaces a token that a server refused at `sent`.
  TokenActions want_instead(WaiterId waiter, std::uint64_t after, Refused refused,
                            Duration within = 30s) {
    return step(event::Want{
        .waiter = waiter, .deadline = boot + within, .after = after, .refused = refused});
  }
  TokenActions tick() { return step(event::Tick{}); }

  /// An answer of the login host to the fetch under way: stamped and received now.
  Exchange exchange(int status, std::string body, Headers headers = {}) const {
    Exchange exchange = answer_of(status, std::move(body), std::move(headers));
    exchange.sent = at(sent_);
    exchange.received = now();
    exchange.origin = kLogin;
    if (!exchange.headers.find("Date")) {
      exchange.headers.add("Date", time::format_http_date(std::chrono::floor<std::chrono::seconds>(
                                       boot.time_since_epoch() + issuer_offset)));
    }
    return exchange;
  }
  TokenActions reply(int status, std::string body, Headers headers = {}) {
    const clocks::Answer answer = exchange(status, std::move(body), std::move(headers));
    if (answer.sample()) book.observe(login, *answer.sample());
    return step(event::Fetched{fetch_, answer});
  }
  TokenActions give(const std::string& token, const std::string& expires_in = "300") {
    return reply(200, token_body(token, expires_in));
  }
  TokenActions fail(TransportFailure::Kind kind, std::string detail = "login.example.com:443") {
    return step(event::FetchFailed{fetch_, {.kind = kind, .detail = std::move(detail)}});
  }
  /// Requests a token and lets the login host issue it, `rtt` later.
  TokenPtr get(const std::string& token, const std::string& expires_in = "300",
               Duration rtt = 0ms) {
    want(next_waiter_++);
    advance(rtt);
    return only<action::Deliver>(give(token, expires_in)).token;
  }
  [[nodiscard]] FetchId fetch() const { return fetch_; }

  int fetches = 0;

 private:
  FetchId fetch_ = 0;
  Instant sent_{};
  WaiterId next_waiter_ = 1'000'000;
};

}  // namespace skewguard::oauth
