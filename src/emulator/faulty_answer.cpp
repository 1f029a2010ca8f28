#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "emulator/hosts.hpp"
#include "emulator/json.hpp"

/// Answers that a fault gives in place of a host, and what it makes of an issued token.
namespace skewguard::emulator {
namespace {

struct Wording {
  int status;
  std::string_view code;
  std::string_view message;
};

/// docs/platform.md 2.2.
constexpr std::array kApiWordings{
    Wording{400, "bad.request", "The request could not be understood by the server."},
    Wording{401, "bad.credentials", "Invalid login credentials."},
    Wording{403, "not.authorized", "You are not authorized to perform the requested action."},
    Wording{404, "not.found", "The requested resource was not found."},
    Wording{429, "too.many.requests.retry.after", "Rate limit exceeded the maximum."},
    Wording{500, "internal.server.error", "The server encountered an unexpected condition."},
    Wording{503, "service.unavailable", "The service is unavailable."},
    Wording{504, "authentication.request.timeout", "The authentication request timed out."},
};
constexpr std::array kLoginWordings{
    Wording{400, "invalid_request", "the request is malformed"},
    Wording{401, "invalid_client", "authentication failed"},
    Wording{503, "temporarily_unavailable", "the service is unavailable"},
};

template <std::size_t n>
Wording wording_of(int status, const std::array<Wording, n>& known, Wording otherwise) {
  for (const auto& one : known)
    if (one.status == status) return one;
  return otherwise;
}

Reply error_of(const Visit& visit, const Effect& effect, int status) {
  const bool api = visit.record.host == Host::api;
  const auto usual =
      api ? wording_of(status, kApiWordings, {status, "emulated.fault", "A fault was ordered."})
          : wording_of(status, kLoginWordings, {status, "server_error", "a fault was ordered"});
  auto code = effect.code.value_or(std::string(usual.code));
  auto message = effect.message.value_or(std::string(usual.message));
  return api ? api_error(status, std::move(code), std::move(message), visit.correlation)
             : login_error(status, std::move(code), std::move(message), "");
}

/// A JSON object of exactly so many bytes.
std::string padding(std::size_t size) {
  std::string out = R"({"padding":")";
  out.resize(size - 2, 'x');
  return out += "\"}";
}

}  // namespace

Reply answer_in_place(const Visit& visit, const Effect& effect) {
  if (visit.record.host == Host::api) presented_token(visit);
  Reply reply;
  if (effect.location) {
    reply = json_reply(effect.status.value_or(302), "", "");
    set_field(reply.headers, "Location", effect.location);
  } else if (effect.size) {
    reply = json_reply(effect.status.value_or(200), padding(*effect.size), "");
  } else {
    reply = error_of(visit, effect, *effect.status);
  }
  reply.outcome = "fault";
  return reply;
}

void spoil_token(Reply& reply, const Visit& visit, const Effect& effect) {
  if (visit.record.host != Host::login || !visit.record.token) return;
  if (!effect.access_token && !effect.expires_in) return;
  auto body = OrderedJson::parse(reply.body, nullptr, false);
  if (!body.is_object()) return;
  if (effect.access_token) {
    visit.cloud.tokens().rename(*visit.record.token, *effect.access_token);
    body["access_token"] = *effect.access_token;
  }
  if (effect.expires_in) {
    body.erase("expires_in");
    if (!effect.expires_in->empty()) body["expires_in"] = OrderedJson::parse(*effect.expires_in);
  }
  reply.body = to_text(body);
}

}  // namespace skewguard::emulator
