#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "skewguard/result.hpp"

namespace skewguard::genesys {

/// A name and an id from the platform; either may be empty.
struct NamedEntity {
  std::string name;
  std::string id;
  friend bool operator==(const NamedEntity&, const NamedEntity&) = default;
};

/// Who a token belongs to.
struct Owner {
  enum class Kind { user, client, organization };
  Kind kind = Kind::organization;
  std::string name;
  std::string id;
  NamedEntity organization;
  friend bool operator==(const Owner&, const Owner&) = default;
};
std::string_view to_string(Owner::Kind kind) noexcept;

/// Which paths show who a token belongs to, and how to read their answers (docs/contract.md section
/// 1): first /api/v2/tokens/me, which works for every grant and needs no permission; for a given
/// token (a managed one has no user), or if that path does not exist, also /api/v2/users/me; if
/// neither says, /api/v2/organizations/me. Pure: the caller sends the requests.
class Whoami {
 public:
  enum class TokenIs { managed, given };
  enum class Next {
    ask,      ///< GET path(), then take() its answer
    done,     ///< owner() is settled
    refused,  ///< the last answer is an error that ends the search: report it
  };

  explicit Whoami(TokenIs token) noexcept : token_(token) {}

  /// The path to GET now. Valid while the last Next was `ask` (as at the start).
  [[nodiscard]] std::string_view path() const noexcept;
  /// Processes the answer to path(). Error (`protocol`): an unreadable 200.
  Result<Next> take(int status, std::string_view body);
  [[nodiscard]] const Owner& owner() const noexcept { return owner_; }

 private:
  enum class Step { tokens, users, organizations };
  Result<Next> take_tokens(int status, std::string_view body);
  Result<Next> take_users(int status, std::string_view body);
  Result<Next> take_organizations(int status, std::string_view body);
  Next ask(Step step) noexcept;

  TokenIs token_;
  Step step_ = Step::tokens;
  bool settled_ = false;  ///< owner_ names somebody already; users/me may still name a user
  Owner owner_;
};

}  // namespace skewguard::genesys
