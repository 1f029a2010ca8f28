#include "oauth/denials.hpp"

#include "time/duration_text.hpp"

namespace skewguard::oauth {
namespace {

/// "lives 4.0 s, less than the 10 min that were asked for"
std::string too_short(Duration remaining, Duration min_life) {
  return " lives " + time::human(remaining) + ", less than the " + time::human(min_life) +
         " that were asked for";
}

TokenFailure given_unusable(const char* state) {
  return {Verdict::token_rejected,
          Error{ErrorKind::credentials,
                std::string("the given token ") + state + ", and a given token cannot be refreshed",
                "give a new one, or a client id and secret"},
          3};
}

}  // namespace

TokenFailure deadline_passed() {
  return {Verdict::timeout,
          Error{ErrorKind::timeout, "the login host gave no token before the call's deadline",
                "try again, or allow more time"},
          6};
}

TokenFailure nothing_to_ask_with() {
  return {Verdict::unknown,
          Error{ErrorKind::config, "there is neither a token nor a client to get one with",
                "set a client id and secret, or a token"},
          2};
}

TokenFailure new_token_too_short(Duration remaining, Duration min_life) {
  return {Verdict::ok,
          Error{ErrorKind::protocol, "a new token" + too_short(remaining, min_life),
                "ask for less, or give the client a longer token lifetime"},
          1};
}

TokenFailure given_token_too_short(Duration remaining, Duration min_life) {
  return {Verdict::ok,
          Error{ErrorKind::config,
                "the given token" + too_short(remaining, min_life) + ", and cannot be refreshed",
                "ask for less, or give a new one"},
          2};
}

TokenFailure given_token_refused() {
  return given_unusable("is refused");
}

TokenFailure given_token_ended() {
  return given_unusable("has ended");
}

TokenFailure given_token_cannot_be_renewed() {
  return {Verdict::ok,
          Error{ErrorKind::config, "a token that was obtained elsewhere cannot be refreshed",
                "give a client id and secret, or leave out --force-refresh"},
          2};
}

TokenFailure refused_token_again() {
  return {Verdict::token_rejected,
          Error{ErrorKind::credentials,
                "the login host gives out the same token again, which the API refuses",
                "check that this client may use this API"},
          3};
}

TokenFailure dead_token_again() {
  return {Verdict::protocol,
          Error{ErrorKind::protocol,
                "the login host gives out the same token again, whose life has passed",
                "check the login host's token cache and clock"},
          1};
}

TokenFailure fresh_token_refused(Verdict verdict, Duration pause) {
  const bool clock =
      verdict == Verdict::issuer_clock_behind || verdict == Verdict::issuer_clock_ahead;
  if (verdict == Verdict::gateway_refused) {
    return {
        verdict,
        Error{ErrorKind::protocol,
              "something in front of the API refuses every token (gateway_refused): no other is "
              "asked for in the next " +
                  time::human(pause),
              "ask who runs it to let this program through, or check the API URL"},
        1};
  }
  return {verdict,
          Error{clock ? ErrorKind::clock : ErrorKind::credentials,
                "the API refuses a new token too (" + std::string(to_string(verdict)) +
                    "): no other is asked for in the next " + time::human(pause),
                clock ? "set the clocks of the servers right"
                      : "check that this client may use this API, and that both are of one region"},
          clock ? 4 : 3};
}

TokenFailure refused_too_often(Instant next, Instant now) {
  return {
      Verdict::unknown,
      Error{ErrorKind::credentials,
            "too many tokens have been refused before their end: no other is asked for before " +
                time::human(next - now) + " have passed",
            "see why the API refuses tokens that it has been given just now"},
      3, next};
}

}  // namespace skewguard::oauth
