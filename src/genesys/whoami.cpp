#include "genesys/whoami.hpp"

#include <algorithm>
#include <utility>

#include "oauth/answer_body.hpp"
#include "oauth/json.hpp"

namespace skewguard::genesys {
namespace {

using nlohmann::json;

constexpr bool good(int status) noexcept {
  return status >= 200 && status < 300;
}

/// Answers of users/me that mean "no user here", not "no right to ask": its exact failure for a
/// client-credentials token is not documented (docs/platform.md section 3), and the token was fine.
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

/// Removes what might be a token: a run of letters and digits longer than any word.
std::string without_tokens(std::string text) {
  constexpr std::size_t kLongestWord = 24;
  const auto of_word = [](char c) { return c > ' ' && c <= '~' && c != '"' && c != ','; };
  for (auto begin = text.begin(); begin != text.end();) {
    const auto end = std::find_if_not(begin, text.end(), of_word);
    const auto at = begin - text.begin();
    const bool long_run = static_cast<std::size_t>(end - begin) > kLongestWord;
    if (long_run) text.replace(begin, end, "***");
    begin = long_run ? text.begin() + at + 3 : end;
    if (begin != text.end()) ++begin;
  }
  return text;
}

/// A success that is not from this API. `what`: "a page ...", "an error ...".
Error not_the_api(std::string_view path, std::string what) {
  return {.kind = ErrorKind::protocol,
          .message = "the answer to " + std::string(path) +
                     " is not from the API: " + without_tokens(std::move(what)),
          .remedy =
              "check that the API base URL is that of a Genesys Cloud API, and ask the operator of "
              "whatever is in front of it"};
}

std::string quoted(const std::string& text) {
  return text.empty() ? "" : " (\"" + text + "\")";
}

/// The body as an object that may name an owner.
Result<json> object_of(int status, std::string_view body, std::string_view path) {
  Exchange answer;
  answer.status = status;
  answer.body = std::string(body);
  const oauth::AnswerBody read = oauth::read_body(answer);
  using Form = oauth::AnswerBody::Form;
  if (read.form == Form::page) return not_the_api(path, "a page" + quoted(read.title));
  const auto value = oauth::parse_json(body);
  if (!value || !value->is_object()) return not_the_api(path, "not a JSON object");
  const bool owner = value->contains("OAuthClient") || value->contains("organization") ||
                     value->contains("id") || value->contains("name");
  if (read.error.empty() || owner) return *value;
  return not_the_api(path, "an error with status " + std::to_string(status) +
                               quoted(read.description.empty() ? read.error : read.description));
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
// OAuthClient (docs/platform.md section 3).
Result<Whoami::Next> Whoami::take_tokens(int status, std::string_view body) {
  if (status == 404) return ask(Step::users);
  if (!good(status)) return Next::refused;
  const auto info = object_of(status, body, path());
  if (!info) return info.error();

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
  const auto user = object_of(status, body, path());
  if (!user) return user.error();

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
  const auto organization = object_of(status, body, path());
  if (!organization) return organization.error();

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
