#include "oauth/login_failure.hpp"

#include "base/strings.hpp"
#include "oauth/certificate_failure.hpp"
#include "oauth/refusals.hpp"
#include "time/duration_text.hpp"

namespace skewguard::oauth {
namespace {

/// "the login host https://... answered 401 invalid_client (authentication failed)"
std::string answered(const Refusal& refusal, int status, const LoginContext& context) {
  std::string text = "the login host " + context.host + " answered " + std::to_string(status);
  if (!refusal.error_code.empty()) text += " " + refusal.error_code;
  if (!refusal.description.empty()) text += " (" + refusal.description + ")";
  return text;
}

std::string quoted(const std::string& text) {
  return "\"" + visible(text) + "\"";
}

/// ` of region "mypurecloud.ie"`
std::string of_region(const LoginContext& context) {
  return context.region.empty() ? "" : " of region " + quoted(context.region);
}

/// A client of another region is rejected with the same words as a wrong secret.
std::string ways_to_check(const LoginContext& context) {
  return context.region.empty()
             ? " (the login URL is " + context.host + ")"
             : " (--region; the address bar of the platform's web application shows its own)";
}

std::string what_to_check(const LoginContext& context) {
  if (!context.secret_hint.empty()) return std::string(context.secret_hint);
  return "check the client secret, that the client is enabled, and that it belongs to this region" +
         ways_to_check(context);
}

/// Other servers expect the client's id and secret in another form.
std::string ways_to_authenticate(const Refusal& refusal, const LoginContext& context) {
  const bool in_basic = context.client_auth == ClientAuth::basic;
  std::string text;
  if (in_basic && context.raw && context.special && context.secret_hint.empty()) {
    text +=
        "; if the server form-decodes id and secret (RFC 6749 section 2.3.1), set --dialect "
        "rfc6749";
  }
  const auto words = to_lower(refusal.description);
  const bool names_form =
      words.find("body") != std::string::npos || words.find("client_secret") != std::string::npos;
  if (in_basic && (context.region.empty() || names_form))
    text += "; if it accepts them only in the form, set --client-auth post";
  if (!in_basic && context.region.empty())
    text += "; if the server accepts them only as Basic, set --client-auth basic";
  return text;
}

/// When the host asks to try again.
std::string when_told(const Refusal& refusal) {
  if (!refusal.retry_after) return "";
  if (*refusal.retry_after == Duration{0}) return " and says to try again at once";
  return " and asks to wait " + time::human(*refusal.retry_after);
}

TokenFailure unknown_client(const std::string& text, const LoginContext& context) {
  return token_failure(Verdict::unknown_client,
                       text + ": it" + of_region(context) + " does not know the client id " +
                           quoted(context.client_id),
                       "correct the client id, or the region it belongs to");
}

}  // namespace

LoginFailure failure_of(const Refusal& refusal, int status, const LoginContext& context) {
  const std::string text = answered(refusal, status, context);
  LoginFailure out;
  out.retry_after = refusal.retry_after;
  out.http_status = status;
  out.error_code = refusal.error_code;
  out.correlation_id = refusal.correlation_id;
  switch (refusal.kind) {
    case Refusal::Kind::credentials_rejected:
      out.credentials = true;
      out.failure = token_failure(
          Verdict::credentials_rejected,
          text + ": it rejects the client " + quoted(context.client_id) + of_region(context),
          what_to_check(context) + ways_to_authenticate(refusal, context));
      return out;
    case Refusal::Kind::unknown_client:
      out.credentials = true;
      out.failure = unknown_client(text, context);
      return out;
    case Refusal::Kind::request_rejected:
      out.credentials = true;
      out.failure = token_failure(
          Verdict::credentials_rejected, text + ": it rejects the token request",
          "check the client's grant type, its scopes, and the extra token parameters" +
              ways_to_authenticate(refusal, context));
      return out;
    case Refusal::Kind::gateway_refused:
      out.retry = Retry::once;
      out.failure =
          token_failure(Verdict::gateway_refused,
                        text +
                            ", which is not a token endpoint's answer: something in front of it "
                            "refused the request" +
                            (refusal.gateway.empty() ? "" : " (" + refusal.gateway + ")"),
                        "ask its operator to let this program through");
      return out;
    case Refusal::Kind::rate_limited:
      out.retry = Retry::while_waiting;
      out.failure = token_failure(Verdict::login_rate_limited,
                                  text + ": it limits token requests" + when_told(refusal),
                                  "request fewer tokens: share one client between fewer programs");
      return out;
    case Refusal::Kind::backend_unavailable:
      out.retry = Retry::while_waiting;
      out.failure = token_failure(Verdict::auth_backend_unavailable, text + ": it is not available",
                                  "try again later");
      return out;
    case Refusal::Kind::redirect:
      out.failure =
          token_failure(Verdict::protocol,
                        "the login host " + context.host + " answered " + std::to_string(status) +
                            ", a redirect to " + refusal.description + ", which is not followed",
                        "set the login URL to the server that issues tokens");
      return out;
    case Refusal::Kind::none:
    case Refusal::Kind::token_refused:
    case Refusal::Kind::missing_permission:
    case Refusal::Kind::no_user_context:
    case Refusal::Kind::unusable:
      break;
  }
  out.retry = Retry::once;
  out.failure = token_failure(Verdict::protocol, text + ", which is not a token endpoint's answer",
                              "check the login URL and the token path");
  return out;
}

LoginFailure failure_of(const Error& unusable, const Exchange& exchange) {
  LoginFailure out;
  out.retry = Retry::once;
  out.failure = {Verdict::protocol, unusable};
  out.http_status = exchange.status;
  out.correlation_id = correlation_id(exchange.headers);
  return out;
}

LoginFailure failure_of(const TransportFailure& failure, const std::string& host,
                        WallTime local_time) {
  using Kind = TransportFailure::Kind;
  const std::string text = "no answer from the login host: " + failure.detail;
  const auto sorted = [](Retry retry, TokenFailure what) {
    LoginFailure out;
    out.retry = retry;
    out.failure = std::move(what);
    return out;
  };
  const auto network = [&](Retry retry,
                           const char* remedy =
                               "check the login URL and the network on the way to it") {
    return sorted(retry, token_failure(Verdict::network, text, remedy));
  };
  if (failure.out_of_resources) return network(Retry::twice, kCheckLimits);
  switch (failure.kind) {
    case Kind::dns:
    case Kind::refused:
    case Kind::unreachable:
      return network(Retry::twice);
    case Kind::proxy:
      return network(Retry::twice,
                     "check the proxy (--proxy, HTTPS_PROXY) and the network on the way to it");
    case Kind::proxy_refused:
      return network(Retry::never,
                     "correct the proxy (--proxy, HTTPS_PROXY) and the user and password in its "
                     "URL, or configure it to allow this host");
    case Kind::reset:
    case Kind::truncated:
      return network(Retry::while_waiting);
    case Kind::timeout:
      return sorted(
          Retry::while_waiting,
          token_failure(Verdict::timeout, text, "try again, or allow more time (--timeout)"));
    case Kind::tls_untrusted:
      return sorted(Retry::never, token_failure(Verdict::tls_untrusted, text,
                                                "check the login URL and the CA bundle"));
    case Kind::tls_time: {
      auto why = why_out_of_time(failure, host, local_time);
      return sorted(Retry::never,
                    token_failure(why.verdict, std::move(why.text), std::move(why.remedy)));
    }
    case Kind::tls_failed:
      return network(Retry::never,
                     "check the login URL, and the client certificate if the server requests one "
                     "(--client-cert, --client-key)");
    case Kind::malformed:
    case Kind::too_large:
      return sorted(
          failure.kind == Kind::malformed ? Retry::never : Retry::once,
          token_failure(Verdict::protocol, "the login host's answer is unusable: " + failure.detail,
                        "check the login URL and the token path"));
    case Kind::cancelled:
      return sorted(Retry::never,
                    TokenFailure{Verdict::network,
                                 Error{ErrorKind::cancelled,
                                       "the token request was cancelled: " + failure.detail, ""}});
    case Kind::bad_request:
      return sorted(
          Retry::never,
          usage_failure(Verdict::protocol, "the token request cannot be sent: " + failure.detail,
                        "check the login URL, the CA file, the client id and the token "
                        "parameters"));
  }
  return network(Retry::twice);
}

LoginFailure rejected_elsewhere(const std::string& host) {
  LoginFailure out;
  out.credentials = true;
  out.failure = token_failure(
      Verdict::credentials_rejected,
      "the login host " + host +
          " has just rejected the same client id and secret of another process, for whose answer "
          "this one waited",
      "check the client secret, that the client is enabled, and that it belongs to this region");
  return out;
}

LoginFailure no_answer_yet() {
  LoginFailure out;
  out.retry = Retry::while_waiting;
  out.failure =
      token_failure(Verdict::timeout,
                    "the login host did not answer the token request before the call's deadline",
                    "try again, or allow more time");
  return out;
}

}  // namespace skewguard::oauth
