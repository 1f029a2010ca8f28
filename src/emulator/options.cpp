#include "emulator/options.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "emulator/limits.hpp"
#include "time/duration_text.hpp"

namespace skewguard::emulator {
namespace {

Error usage(std::string message) {
  return Error{ErrorKind::config, std::move(message), ""};
}

bool within(Duration value, Duration min, Duration max) noexcept {
  return min <= value && value <= max;
}

/// The first flag that asks for too much.
std::optional<Error> out_of_range(const Options& options) {
  const auto offset = [](Duration value) { return within(value, -kMaxOffset, kMaxOffset); };
  const auto drift = [](double ppm) { return std::abs(ppm) <= SkewedClock::kMaxDriftPpm; };
  const auto delay = [](Duration value) { return within(value, Duration::zero(), kMaxLatency); };
  if (!offset(options.login_offset)) return usage("--login-offset: more than 100 years");
  if (!offset(options.api_offset)) return usage("--api-offset: more than 100 years");
  for (const auto backend : options.api_backends) {
    if (!offset(backend) || !offset(backend / 2 + options.api_offset / 2))
      return usage("--api-backend: more than 100 years");
  }
  if (options.api_backends.size() > CloudEmulator::kMaxBackends) {
    return usage("--api-backend: more than 100 of them");
  }
  if (!drift(options.login_drift_ppm)) return usage("--login-drift: more than 500000 ppm");
  if (!drift(options.api_drift_ppm)) return usage("--api-drift: more than 500000 ppm");
  if (!within(options.lifetime, kMinLifetime, kMaxLifetime)) {
    return usage("--lifetime: must be from 1 ms to 3650 days");
  }
  if (!offset(options.nbf_offset)) return usage("--nbf-offset: more than 100 years");
  if (!delay(options.latency.up) || !delay(options.latency.down)) {
    return usage("--latency: must be from 0 to 1 h each way");
  }
  return std::nullopt;
}

std::vector<Client> clients_of(const Options& options) {
  ClientTable table({});
  for (const auto& [id, secret] : options.clients) {
    auto* client = table.find(id);
    if (client == nullptr) client = table.add({id, {}, options.user});
    if (client != nullptr) client->secrets.push_back(secret);
  }
  if (table.all().empty()) table.add({"demo", {Secret("demo-secret")}, options.user});
  return table.all();
}

std::optional<Error> unusable_client(const Options& options) {
  if (options.clients.size() > ClientTable::kMaxSecrets) {
    return usage("--client: more than 100 of them");
  }
  for (const auto& [id, secret] : options.clients) {
    if (!valid_client_id(id) || secret.empty()) return usage("--client: must be ID:SECRET");
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(BackendChoice choice) noexcept {
  return choice == BackendChoice::per_request ? "request" : "connection";
}

Result<std::pair<std::string, Secret>> parse_client(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return usage("--client: must be ID:SECRET");
  }
  return std::pair{std::string(text.substr(0, colon)), Secret(text.substr(colon + 1))};
}

Result<Delays> parse_latency(std::string_view text) {
  const auto slash = text.find('/');
  const auto first = time::parse_duration(text.substr(0, slash));
  const auto second =
      slash == std::string_view::npos ? first : time::parse_duration(text.substr(slash + 1));
  if (!first || !second || *first < Duration::zero() || *second < Duration::zero()) {
    return usage("--latency: must be a duration (20ms), or two (15ms/5ms: up/down)");
  }
  if (slash == std::string_view::npos) return Delays{*first / 2, *first - *first / 2};
  return Delays{*first, *second};
}

Result<TokenFormat> parse_token_format(std::string_view text) {
  if (text == "opaque") return TokenFormat::opaque;
  if (text == "jwt") return TokenFormat::jwt;
  return usage("--token: must be opaque or jwt");
}

Result<BackendChoice> parse_backend_choice(std::string_view text) {
  if (text == "request") return BackendChoice::per_request;
  if (text == "connection") return BackendChoice::per_connection;
  return usage("--backend-choice: must be request or connection");
}

Result<CloudOptions> cloud_options(const Options& options) {
  if (auto error = out_of_range(options)) return *error;
  if (auto error = unusable_client(options)) return *error;
  CloudOptions out;
  out.login_clock = {options.login_offset, options.login_drift_ppm};
  out.api_clocks.clear();
  for (const auto backend : options.api_backends)
    out.api_clocks.push_back({options.api_offset + backend, options.api_drift_ppm});
  if (out.api_clocks.empty()) {
    out.api_clocks.push_back({options.api_offset, options.api_drift_ppm});
  }
  out.clients = clients_of(options);
  out.events = options.events;
  out.settings.token = options.token;
  out.settings.lifetime = options.lifetime;
  out.settings.nbf_offset = options.nbf_offset;
  out.settings.strict_nbf = options.strict_nbf;
  out.settings.strict_iat = options.strict_iat;
  out.settings.choice = options.backend_choice;
  out.settings.login_delays = options.latency;
  out.settings.api_delays = options.latency;
  return out;
}

}  // namespace skewguard::emulator
