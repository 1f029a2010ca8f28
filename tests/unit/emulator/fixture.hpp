#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "emulator/cloud_emulator.hpp"

namespace skewguard::emulator {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// This long after 2026-01-01T00:00:00Z, on both clocks; boot time starts at 1000 s.
inline Now at(Duration later) {
  Now now;
  now.boot = Instant{seconds{1000} + later};
  now.wall = WallTime{seconds{1'767'225'600} + later};
  return now;
}
constexpr std::int64_t kStart = 1'767'225'600;

/// "demo:demo-secret" and "other:secret:with colon" in Base64 (RFC 4648).
constexpr std::string_view kDemo = "Basic ZGVtbzpkZW1vLXNlY3JldA==";

inline ServerRequest token_request(std::string_view authorization = kDemo) {
  ServerRequest request{"POST", "/oauth/token", {}, "grant_type=client_credentials"};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  if (!authorization.empty()) request.headers.add("Authorization", std::string(authorization));
  return request;
}

inline ServerRequest api_request(std::string method, std::string target, const std::string& token) {
  ServerRequest request{std::move(method), std::move(target), {}, ""};
  request.headers.add("Authorization", "Bearer " + token);
  return request;
}

inline std::string header(const Reply& reply, std::string_view name) {
  return std::string(reply.headers.find(name).value_or("(none)"));
}

/// A cloud and requests to it.
class Play {
 public:
  explicit Play(CloudOptions options = {}) : cloud(std::move(options), at(Duration{0}), 1) {}

  Reply login(Duration when, const ServerRequest& request = token_request()) {
    return cloud.handle_login(request, at(when));
  }
  std::string token(Duration when) {
    return json::parse(login(when).body).at("access_token").get<std::string>();
  }
  Reply get(Duration when, const std::string& token, std::string target = "/api/v2/tokens/me") {
    return cloud.handle_api(api_request("GET", std::move(target), token), at(when));
  }
  Reply control(Duration when, std::string method, std::string path, std::string body = "") {
    return cloud.handle_control({std::move(method), std::move(path), {}, std::move(body)},
                                at(when));
  }
  json stats(Duration when = Duration{0}) {
    return json::parse(control(when, "GET", "/emulator/stats").body);
  }

  CloudEmulator cloud;
};

}  // namespace skewguard::emulator
