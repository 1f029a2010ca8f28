#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oauth/dialect.hpp"
#include "oauth/grant.hpp"
#include "oauth/token_failure.hpp"
#include "skewguard/error.hpp"
#include "skewguard/http.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::oauth {

/// How many failures of this kind a caller waits through before it gets the failure.
enum class Retry {
  never,          ///< the next answer would be the same: tell every caller at once
  once,           ///< perhaps an accident
  twice,          ///< the host may be restarting
  while_waiting,  ///< as long as the caller's deadline allows
};

/// A token request that brought no token, classified by what to do about it.
struct LoginFailure {
  TokenFailure failure;
  Retry retry = Retry::never;
  bool credentials = false;  ///< the login host refuses who we are: pause, longer each time
  std::optional<Duration> retry_after;
  std::optional<int> http_status;  ///< absent if there was no answer
  std::string error_code;
  std::string correlation_id;
};

/// The parties that the message names.
struct LoginContext {
  std::string host;                ///< origin of the token URL
  std::string region;              ///< may be empty
  std::string client_id;           ///< may be empty
  std::string_view secret_hint{};  ///< what looks wrong with the client's secret; may be empty
  ClientAuth client_auth = ClientAuth::basic;
  bool raw = false;      ///< id and secret are not encoded in Basic
  bool special = false;  ///< id or secret hold characters that a form encodes
};

LoginFailure failure_of(const Refusal& refusal, int status, const LoginContext& context);
/// `unusable`: the error of Dialect::token for a 2xx.
LoginFailure failure_of(const Error& unusable, const Exchange& exchange);
/// `host`: origin of the token URL.
LoginFailure failure_of(const TransportFailure& failure, const std::string& host,
                        WallTime local_time);
/// Another process of this client has had its credentials rejected by this host (an origin).
LoginFailure rejected_elsewhere(const std::string& host);
/// The caller's deadline passed during a token request.
LoginFailure no_answer_yet();

}  // namespace skewguard::oauth
