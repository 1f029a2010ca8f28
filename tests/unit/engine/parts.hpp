#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/host_clocks.hpp"
#include "engine/listeners.hpp"
#include "engine/loop.hpp"
#include "engine/sender.hpp"
#include "oauth/rfc6749_dialect.hpp"
#include "skewguard/testing.hpp"
#include "time/http_date.hpp"

/// The lower parts of an engine, on a machine whose time the test controls.
namespace skewguard::engine {

using namespace std::chrono_literals;
using skewguard::testing::FakeMachine;

/// Keeps requests until the test answers them.
class HeldTransport final : public Transport {
 public:
  struct Sent {
    HttpRequest request;
    SendOptions options;
    Handler handler;
  };
  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override {
    if (throws) throw std::runtime_error("no sockets");
    sent.push_back({std::move(request), options, std::move(handler)});
    return sent.size();
  }
  void cancel(Ticket ticket) override { cancelled.push_back(ticket); }

  bool throws = false;
  std::vector<Sent> sent;
  std::vector<Ticket> cancelled;
};

struct Parts {
  explicit Parts(Referee* referee = nullptr)
      : sender(
            {loop, transport, clocks, listeners.log(), dialect, referee,
             options.login_url + "/oauth/token",
             [this](ServerId server, const clocks::Answer& answer) { observe(server, answer); }}) {}

  static ClientOptions example() {
    ClientOptions out;
    out.login_url = "https://login.example.com";
    out.api_url = "https://api.example.com";
    return out;
  }
  Hooks hooks() {
    Hooks out;
    out.log_level = LogLevel::trace;
    out.log = [this](const LogLine& line) { lines.push_back(line); };
    return out;
  }
  void observe(ServerId server, const clocks::Answer& answer) {
    observed.push_back(answer.status);
    if (on_answer) return on_answer(server, answer);
    if (answer.sample()) clocks.book().observe(server, *answer.sample());
  }
  /// An answer that a server gives now; its clock is `ahead` of true time.
  [[nodiscard]] Exchange answer(int status, Duration ahead = 0s) const {
    Exchange out;
    out.status = status;
    out.sent = out.received = machine->now();
    out.headers.add("Date", time::format_http_date(std::chrono::floor<std::chrono::seconds>(
                                machine->true_time().time_since_epoch() + ahead)));
    return out;
  }
  [[nodiscard]] std::size_t lines_with(std::string_view words) const {
    std::size_t found = 0;
    for (const LogLine& line : lines)
      found += line.message.find(words) != std::string::npos ? 1 : 0;
    return found;
  }

  /// Later than the build of this program: an earlier time is not believed.
  static constexpr WallTime kStart = FakeMachine::kStart + std::chrono::hours{24} * 365;
  std::shared_ptr<FakeMachine> machine = std::make_shared<FakeMachine>(kStart);
  const ClientOptions options = example();
  std::vector<LogLine> lines;
  std::vector<int> observed;  ///< the status of each answer
  std::function<void(ServerId, const clocks::Answer&)> on_answer;
  const Listeners listeners{hooks()};
  Loop loop{*machine, *machine};
  HostClocks clocks{options, loop};
  HeldTransport transport;
  const oauth::Rfc6749Dialect dialect;
  Sender sender;
};

}  // namespace skewguard::engine
