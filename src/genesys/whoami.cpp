#include "genesys/whoami.hpp"

#include <utility>

#include "oauth/json.hpp"

namespace skewguard::genesys {
namespace {

using nlohmann::json;

constexpr bool good(int status) noexcept {
  return status >= 200 && status < 300;
}

/// Answers of users/me that mean "no user here", not "no right to ask": its exact failure for a
/// client-credentials token is not documented (GENESYS.md section 3), and the token was fine.
constexpr bool no_user(int status) noexcept {
  return status == 400 || status == 403 || status == 404;
}

std::string text_of(const json& object, const char* name) {
  const auto* text = oauth::string_member(object, name);
  return text == nullptr ? std::string{} : *text;
}

NamedEntity entity_of(const json& object) {
  return {.name = text_of(object, "name"), .id = text_of(object, "id")};
}

NamedEntity entity_at(const json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_object() ? entity_of(*field) : NamedEntity{};
}

bool named(const NamedEntity& entity) noexcept {
  return !entity.name.empty() || !entity.id.empty();
}

Error unreadable(std::string_view path) {
  return {.kind = ErrorKind::protocol,
          .message = "the answer of " + std::string(path) + " is not a JSON object",
          .remedy = "check that the API base URL is that of a Genesys Cloud API"};
}

/// The body as an object, or nothing.
std::optional<json> object_of(std::string_view body) {
  auto value = oauth::parse_json(body);
  if (!value || !value->is_object()) return std::nullopt;
  return value;
}

}  // namespace

std::string_view to_string(Owner::Kind kind) noexcept {
  switch (kind) {
    case Owner::Kind::user:
      return "user";
    case Owner::Kind::client:
      return "client";
    case Owner::Kind::organization:
      return "organization";
  }
  return "organization";
}

std::string_view Whoami::path() const noexcept {
  switch (step_) {
    case Step::tokens:
      return "/api/v2/tokens/me";
    case Step::users:
      return "/api/v2/users/me";
    case Step::organizations:
      return "/api/v2/organizations/me";
  }
  return "/api/v2/tokens/me";
}

Result<Whoami::Next> Whoami::take(int status, std::string_view body) {
  switch (step_) {
    case Step::tokens:
      return take_tokens(status, body);
    case Step::users:
      return take_users(status, body);
    case Step::organizations:
      return take_organizations(status, body);
  }
  return Next::refused;
}

Whoami::Next Whoami::ask(Step step) noexcept {
  step_ = step;
  return Next::ask;
}

// TokenInfo: organization, homeOrganization, authorizedScope, clonedUser, dateTokenIdles,
// OAuthClient (GENESYS.md section 3).
Result<Whoami::Next> Whoami::take_tokens(int status, std::string_view body) {
  if (status == 404) return ask(Step::users);
  if (!good(status)) return Next::refused;
  const auto info = object_of(body);
  if (!info) return unreadable(path());

  owner_.organization = entity_at(*info, "organization");
  const NamedEntity client = entity_at(*info, "OAuthClient");
  settled_ = named(client);
  if (settled_) {
    owner_.kind = Owner::Kind::client;
    owner_.name = client.name;
    owner_.id = client.id;
  }
  if (token_ == TokenIs::given) return ask(Step::users);
  return settled_ ? Next::done : ask(Step::organizations);
}

Result<Whoami::Next> Whoami::take_users(int status, std::string_view body) {
  if (no_user(status)) return settled_ ? Next::done : ask(Step::organizations);
  if (!good(status)) return Next::refused;
  const auto user = object_of(body);
  if (!user) return unreadable(path());

  const NamedEntity entity = entity_of(*user);
  if (!named(entity)) return settled_ ? Next::done : ask(Step::organizations);
  owner_.kind = Owner::Kind::user;
  owner_.name = entity.name;
  owner_.id = entity.id;
  if (!named(owner_.organization)) owner_.organization = entity_at(*user, "organization");
  return Next::done;
}

Result<Whoami::Next> Whoami::take_organizations(int status, std::string_view body) {
  if (!good(status)) return Next::refused;
  const auto organization = object_of(body);
  if (!organization) return unreadable(path());

  const NamedEntity entity = entity_of(*organization);
  if (!named(entity)) {
    return Error{.kind = ErrorKind::protocol,
                 .message = "the answer of " + std::string(path()) + " has neither name nor id",
                 .remedy = "check that the API base URL is that of a Genesys Cloud API"};
  }
  owner_ = {.kind = Owner::Kind::organization,
            .name = entity.name,
            .id = entity.id,
            .organization = entity};
  return Next::done;
}

}  // namespace skewguard::genesys
