#include "oauth/token_failure.hpp"

#include <utility>

#include "base/error_kind.hpp"
#include "time/duration_text.hpp"

namespace skewguard::oauth {
namespace {

/// "has only 4.0 s left, less than the requested 10 min"
std::string too_short(Duration remaining, Duration min_life) {
  return " has only " + time::human(remaining) + " left, less than the requested " +
         time::human(min_life);
}

TokenFailure given_unusable(const char* state) {
  return token_failure(
      Verdict::token_rejected,
      std::string("the given token ") + state + ", and a given token cannot be refreshed",
      "pass a new one, or a client id and secret");
}

}  // namespace

TokenFailure token_failure(Verdict verdict, std::string message, std::string remedy) {
  return {verdict, Error{error_kind(verdict), std::move(message), std::move(remedy)}};
}

TokenFailure usage_failure(Verdict verdict, std::string message, std::string remedy) {
  return {verdict, Error{ErrorKind::config, std::move(message), std::move(remedy)}};
}

TokenFailure deadline_passed() {
  return token_failure(Verdict::timeout, "the login host gave no token before the call's deadline",
                       "try again, or allow more time");
}

TokenFailure begins_too_late() {
  return token_failure(Verdict::issuer_clock_ahead,
                       "the new token becomes valid by the API's clock after the deadline",
                       "raise --timeout, or have the clock of the login or the API host corrected");
}

TokenFailure nothing_to_ask_with() {
  return usage_failure(Verdict::unknown,
                       "there is neither a token nor a client to request one with",
                       "set a client id and secret, or a token");
}

TokenFailure new_token_too_short(Duration remaining, Duration min_life) {
  return token_failure(Verdict::ok, "a new token" + too_short(remaining, min_life),
                       "request less, or give the client a longer token lifetime");
}

TokenFailure given_token_too_short(Duration remaining, Duration min_life) {
  return usage_failure(
      Verdict::ok, "the given token" + too_short(remaining, min_life) + ", and cannot be refreshed",
      "request less, or pass a new one");
}

TokenFailure given_token_refused() {
  return given_unusable("is refused");
}

TokenFailure given_token_ended() {
  return given_unusable("has expired");
}

TokenFailure given_token_cannot_be_refreshed() {
  return usage_failure(Verdict::ok, "a token that was obtained elsewhere cannot be refreshed",
                       "pass a client id and secret, or omit --force-refresh");
}

TokenFailure refused_token_again() {
  return token_failure(Verdict::token_rejected,
                       "the login host issues the same token again, which the API refuses",
                       "check that this client may use this API");
}

TokenFailure dead_token_again() {
  return token_failure(Verdict::protocol,
                       "the login host issues the same token again, which has expired",
                       "check the login host's token cache and clock");
}

TokenFailure fresh_token_refused(Verdict verdict, Duration pause) {
  const std::string none = "no other is requested in the next " + time::human(pause);
  if (verdict == Verdict::gateway_refused) {
    return token_failure(
        verdict, "something in front of the API refuses every token (gateway_refused): " + none,
        "ask who runs it to let this program through, or check the API URL");
  }
  const bool clock = error_kind(verdict) == ErrorKind::clock;
  return token_failure(
      verdict, "the API refuses a new token too (" + std::string(to_string(verdict)) + "): " + none,
      clock ? "correct the clocks of the servers"
            : "check that this client may use this API, and that both are in the same region");
}

TokenFailure refused_too_often(Instant next, Instant now) {
  TokenFailure failure = token_failure(
      Verdict::unknown,
      "too many tokens were refused before they expired: no other is requested before " +
          time::human(next - now) + " have passed",
      "find out why the API refuses tokens that were just issued");
  failure.next_request = next;
  return failure;
}

}  // namespace skewguard::oauth
