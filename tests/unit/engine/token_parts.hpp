#pragma once

#include <memory>
#include <string>
#include <utility>

#include "engine/clock_watch.hpp"
#include "engine/token_service.hpp"
#include "oauth/grant.hpp"
#include "parts.hpp"

/// A token service on the lower parts of an engine. What it sends, the test answers.
namespace skewguard::engine {

struct TokenParts {
  explicit TokenParts(TokenStore* store = nullptr)
      : tokens(
            {parts.loop, parts.sender, parts.clocks, watch, parts.listeners, parts.options, store},
            {std::make_shared<oauth::ClientCredentials>("my-client", Secret{"the-secret"})},
            std::make_shared<oauth::Rfc6749Dialect>(), Boot{}, 1) {
    parts.on_answer = [this](ServerId server, const clocks::Answer& answer) {
      watch.observe(server, answer);
    };
  }

  [[nodiscard]] FakeMachine& machine() const { return *parts.machine; }
  [[nodiscard]] std::vector<HeldTransport::Sent>& sent() { return parts.transport.sent; }
  /// The login host answers the latest request.
  void issue(const std::string& token, const std::string& life = "300") {
    Exchange answer = parts.answer(200);
    answer.body =
        R"({"access_token":")" + token + R"(","token_type":"bearer","expires_in":)" + life + "}";
    reply(std::move(answer));
  }
  void reply(SendResult result) {
    ASSERT_FALSE(sent().empty());
    sent().back().handler(std::move(result));
    machine().run();
  }

  Parts parts;
  ClockWatch watch{{parts.clocks, parts.sender, parts.listeners.log(), parts.machine.get(),
                    [this](const oauth::TokenEvent& event) { tokens.step(event); },
                    [this] { return tokens.tokens().fetching(); }}};
  TokenService tokens;
};

}  // namespace skewguard::engine
