#pragma once

#include <string>

#include "clocks/clock_view.hpp"
#include "engine/loop.hpp"
#include "http/url.hpp"
#include "skewguard/client.hpp"

namespace skewguard::engine {

/// A client's login and API host, and what an engine knows about their clocks. Code that only reads
/// gets it const. For the control loop.
class HostClocks {
 public:
  /// `loop` must outlive it.
  HostClocks(const ClientOptions& options, const Loop& loop)
      : loop_(loop),
        book_({.staleness = options.staleness}),
        login_(book_.id(http::origin_of(options.login_url))),
        api_(book_.id(http::origin_of(options.api_url))) {}

  [[nodiscard]] ServerId login() const noexcept { return login_; }
  [[nodiscard]] ServerId api() const noexcept { return api_; }
  /// Empty for the login host of a client with a given token.
  [[nodiscard]] const std::string& origin(ServerId server) const { return book_.origin(server); }

  /// Both only within a turn.
  [[nodiscard]] const Now& now() const noexcept { return loop_.now(); }
  [[nodiscard]] clocks::ClockView view() const { return {book_, now()}; }

  [[nodiscard]] clocks::ClockBook& book() noexcept { return book_; }

 private:
  const Loop& loop_;
  clocks::ClockBook book_;
  const ServerId login_;
  const ServerId api_;
};

}  // namespace skewguard::engine
