// A program under test without a network and without waiting. The login host's clock is three
// seconds ahead, and the API refuses tokens that have not begun by its own clock. Time is this
// program's own, so that the wait that cures it takes none.
#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "skewguard/client.hpp"

namespace {

using namespace std::chrono_literals;
using skewguard::Duration;
using skewguard::Exchange;
using skewguard::Instant;

constexpr Duration kLoginAhead = 3s;
constexpr Duration kRoundTrip = 20ms;

/// The loop and the clocks: time jumps from one thing that is to happen to the next.
class Time final : public skewguard::Executor, public skewguard::ClockSource {
 public:
  void post(std::function<void()> function) override { call_at(now_, std::move(function)); }
  Timer call_at(Instant at, std::function<void()> function) override {
    due_.emplace(std::pair(at, ++last_), std::move(function));
    return last_;
  }
  void cancel(Timer timer) override {
    std::erase_if(due_, [timer](const auto& each) { return each.first.second == timer; });
  }
  skewguard::Now now() override {
    skewguard::Now now;
    now.boot = now_;
    now.mono = skewguard::MonotonicTime{now_.time_since_epoch()};
    now.raw = skewguard::RawTime{now_.time_since_epoch()};
    now.wall = skewguard::WallTime{kStart + now_.time_since_epoch()};
    return now;
  }
  /// The wall clock's time, as a host whose clock is `ahead` writes it into a Date.
  std::time_t seconds(Duration ahead) {
    const auto wall = now().wall + ahead;
    return std::chrono::floor<std::chrono::seconds>(wall.time_since_epoch()).count();
  }
  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double>(now_.time_since_epoch()).count();
  }
  /// Until `over`.
  void run(const bool& over) {
    while (!over && !due_.empty()) {
      auto next = due_.extract(due_.begin());
      now_ = std::max(now_, next.key().first);
      next.mapped()();
    }
  }

 private:
  static constexpr std::chrono::seconds kStart{1'767'225'600};  // 2026-01-01
  Instant now_{};
  Timer last_ = 0;
  std::map<std::pair<Instant, Timer>, std::function<void()>> due_;
};

Exchange answer(int status, std::time_t date, std::string body = {}) {
  Exchange exchange;
  exchange.status = status;
  exchange.body = std::move(body);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&date));
  exchange.headers.add("Date", text.data());
  if (status == 401) exchange.headers.add("WWW-Authenticate", R"(Bearer error="invalid_token")");
  return exchange;
}

/// The two hosts. They share nothing but the token.
class Hosts {
 public:
  explicit Hosts(Time& time) : time_(time) {}
  Exchange login() {
    begins_ = time_.seconds(kLoginAhead);
    return answer(200, begins_,
                  R"({"access_token":"a-token","token_type":"bearer","expires_in":3600})");
  }
  Exchange api(std::string_view authorization) {
    const std::time_t date = time_.seconds(0s);
    const bool good = authorization == "Bearer a-token" && date >= begins_;
    return answer(good ? 200 : 401, date);
  }

 private:
  Time& time_;
  std::time_t begins_ = 0;
};

/// What skewguard itself sends: the token request.
class Wire final : public skewguard::Transport {
 public:
  Wire(Time& time, Hosts& hosts) : time_(time), hosts_(hosts) {}
  Ticket send(skewguard::HttpRequest request, const skewguard::SendOptions&,
              Handler handler) override {
    Exchange exchange =
        request.url.starts_with("https://login.test/") ? hosts_.login() : hosts_.api("");
    exchange.sent = time_.now();
    time_.call_at(exchange.sent.boot + kRoundTrip,
                  [this, exchange, handler = std::move(handler)]() mutable {
                    exchange.received = time_.now();
                    handler(std::move(exchange));
                  });
    return ++last_;
  }
  void cancel(Ticket) override {}  // every answer comes

 private:
  Time& time_;
  Hosts& hosts_;
  Ticket last_ = 0;
};

}  // namespace

int main() {
  const auto time = std::make_shared<Time>();
  Hosts hosts(*time);

  skewguard::ClientOptions options;
  options.login_url = "https://login.test";
  options.api_url = "https://api.test";
  options.dialect = skewguard::DialectName::rfc6749;
  options.client_id = "id";
  options.client_secret = skewguard::Secret("secret");
  skewguard::Dependencies dependencies;
  dependencies.executor = time;
  dependencies.clock = time;
  dependencies.transport = [&](skewguard::Executor&) {
    return std::make_unique<Wire>(*time, hosts);
  };
  auto client = skewguard::Client::make(std::move(options), {}, std::move(dependencies));
  if (!client) return 2;

  // The program's own stack: each send is answered a round trip later, and says so.
  const auto send = [&](const skewguard::Bearer& bearer, const auto& done) {
    time->call_at(time->now().boot + kRoundTrip, [&, done, authorization = bearer.authorization] {
      const Exchange exchange = hosts.api(authorization);
      std::cout << std::fixed << std::setprecision(2) << time->elapsed()
                << " s: " << exchange.status << " to " << authorization << '\n';
      done(exchange);
    });
  };
  bool over = false;
  client->async_guard(send, {}, [&](const skewguard::Result<skewguard::Response>& response) {
    over = true;
    if (!response) return;
    std::cout << to_string(response->report.verdict) << ", "
              << (response->report.mitigated ? "cured" : "not cured") << '\n';
  });
  time->run(over);
  return over ? 0 : 1;
}
