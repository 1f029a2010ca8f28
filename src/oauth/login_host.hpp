#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "clocks/answer.hpp"
#include "oauth/dialect.hpp"
#include "oauth/grant_rotation.hpp"
#include "oauth/login_failure.hpp"
#include "skewguard/http.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::oauth {

/// The login host as its client sees it: how to request a token, and what an answer says. Nothing
/// that it says of an answer shows a secret, whatever the host echoes. Not thread-safe.
class LoginHost {
 public:
  struct Options {
    std::string token_url;
    std::string region;      ///< for explanations; may be empty
    bool raw_basic = false;  ///< id and secret are not form-encoded first: for explanations
  };
  LoginHost(Options options, Grants grants, std::shared_ptr<const Dialect> dialect);

  [[nodiscard]] GrantRotation& grants() noexcept { return grants_; }
  [[nodiscard]] const GrantRotation& grants() const noexcept { return grants_; }
  /// Other secrets of the same client from now on. The answer to an earlier request may still come,
  /// and repeat those that it was sent.
  void replace(Grants grants);
  /// The request under way was made with secrets that have been replaced since.
  [[nodiscard]] bool was_replaced() const noexcept { return !replaced_.empty(); }
  /// No such request is under way any more.
  void forget_replaced() noexcept { replaced_.clear(); }

  /// scheme://host:port of the token URL.
  [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
  /// A token request with the current grant.
  [[nodiscard]] HttpRequest request() const;
  /// What an answer to it brought.
  [[nodiscard]] std::variant<TokenAnswer, LoginFailure> read(const clocks::Answer& answer) const;
  /// What it means that no answer came.
  [[nodiscard]] LoginFailure read(const TransportFailure& failure, WallTime local) const;

 private:
  [[nodiscard]] Refusal refusal_of(const Exchange& exchange) const;
  [[nodiscard]] LoginContext context() const;
  void hide_secrets(std::initializer_list<std::string*> words) const;

  Options options_;
  std::string origin_;
  GrantRotation grants_;
  Grants replaced_;  ///< until forget_replaced(); first the one that the request under way names
  std::shared_ptr<const Dialect> dialect_;
};

}  // namespace skewguard::oauth
