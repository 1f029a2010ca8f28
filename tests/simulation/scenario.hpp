#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "simulation/simulation.hpp"
#include "time/http_date.hpp"

/// Plays the rows of the scenario table on virtual time: each with opaque tokens and JWTs, and with
/// the local wall clock right, fast, slow and in 1970, none of which may matter.
namespace skewguard::simulation {

using namespace std::chrono_literals;
using emulator::TokenFormat;

/// Turns an answer into a refusal of the token.
inline void refuse(emulator::Reply& reply) {
  reply.status = 401;
  reply.body = R"({"message":"Invalid login credentials.","code":"bad.credentials","status":401})";
}

/// Replaces the Date of the answer.
inline void redate(emulator::Reply& reply, std::chrono::seconds date) {
  Headers headers;
  for (const auto& field : reply.headers.fields()) {
    headers.add(field.name, field.name == "Date" ? time::format_http_date(date) : field.value);
  }
  reply.headers = headers;
}
inline std::chrono::seconds date_of(const emulator::Reply& reply) {
  return time::parse_http_date(reply.headers.find("Date").value_or(""), 0s).value_or(0s);
}

enum class Wall { right, fast, slow, in_1970 };

inline emulator::CloudOptions servers(TokenFormat format, Duration login,
                                      const std::vector<Duration>& apis, Duration lifetime) {
  emulator::CloudOptions options;
  options.login_clock.offset = login;
  options.api_clocks.clear();
  for (const Duration api : apis) options.api_clocks.push_back({.offset = api});
  options.settings.token = format;
  options.settings.lifetime = lifetime;
  options.settings.strict_nbf = true;
  return options;
}

class Scenario : public testing::TestWithParam<std::tuple<TokenFormat, Wall>> {
 protected:
  void build(Duration login, const std::vector<Duration>& apis, Duration lifetime = 300s,
             const ClientOptions& options = VirtualClient::default_options()) {
    client.reset();  // it lives in the simulation
    simulation =
        std::make_unique<Simulation>(servers(std::get<0>(GetParam()), login, apis, lifetime));
    switch (std::get<1>(GetParam())) {
      case Wall::right:
        break;
      case Wall::fast:
        simulation->step_wall(900s);
        break;
      case Wall::slow:
        simulation->step_wall(-900s);
        break;
      case Wall::in_1970:
        simulation->set_wall(WallTime{10min});
        break;
    }
    client = std::make_unique<VirtualClient>(*simulation, options);
  }

  /// Calls every `pause` for `span`; each call must succeed.
  void call_for(Duration span, Duration pause) {
    for (Duration passed{0}; passed < span; passed += pause) {
      const auto outcome = client->get();
      ASSERT_EQ(outcome.status, 200) << to_json(outcome.report);
      ASSERT_EQ(outcome.report.exit_code, 0);
      simulation->run_for(pause);
    }
  }

  std::set<std::string> tokens_sent() const {
    std::set<std::string> out;
    for (const auto& request : simulation->seen()) {
      if (request.url.starts_with(kApiUrl) && !request.authorization.empty()) {
        out.insert(request.authorization);
      }
    }
    return out;
  }
  std::size_t sends_with_token() const {
    std::size_t count = 0;
    for (const auto& request : simulation->seen()) {
      if (request.url.starts_with(kApiUrl) && !request.authorization.empty()) ++count;
    }
    return count;
  }

  /// Requests to the login host that carry neither credentials nor a token.
  std::size_t looks_at_login() const {
    std::size_t count = 0;
    for (const auto& request : simulation->seen()) {
      if (request.url.starts_with(kLoginUrl) && request.method == "HEAD") {
        EXPECT_EQ(request.authorization + request.body, "");
        ++count;
      }
    }
    return count;
  }

  std::unique_ptr<Simulation> simulation;
  std::unique_ptr<VirtualClient> client;
};

inline auto every_setting() {
  return testing::Combine(testing::Values(TokenFormat::opaque, TokenFormat::jwt),
                          testing::Values(Wall::right, Wall::fast, Wall::slow, Wall::in_1970));
}
inline std::string name_of(const testing::TestParamInfo<std::tuple<TokenFormat, Wall>>& info) {
  const char* walls[] = {"WallRight", "WallFast", "WallSlow", "WallIn1970"};
  return (std::get<0>(info.param) == TokenFormat::jwt ? std::string{"Jwt"} : "Opaque") +
         walls[static_cast<int>(std::get<1>(info.param))];
}

}  // namespace skewguard::simulation
