#include <algorithm>
#include <string_view>

#include "skewguard/testing.hpp"

namespace skewguard::testing {

/// What is under way. From the loop alone, but travel().
class ScriptedTransport::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& loop, std::shared_ptr<FakeMachine> machine,
        std::vector<std::shared_ptr<Host>> hosts)
      : loop_(loop), machine_(std::move(machine)), hosts_(std::move(hosts)) {}
  ~State() {
    for (const auto& [ticket, flight] : flights_) loop_.cancel(flight.timeout);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Ticket send(HttpRequest request, Instant deadline, Handler handler) {
    const Ticket ticket = ++last_;
    const Executor::Timer timeout = loop_.call_at(deadline, [weak = weak_from_this(), ticket] {
      if (const auto self = weak.lock())
        self->fail(ticket, TransportFailure::Kind::timeout, "no answer in time");
    });
    flights_.emplace(ticket, Flight{std::move(handler), timeout});
    const auto host = std::ranges::find_if(
        hosts_, [&](const auto& each) { return begins_with(request.url, each->url()); });
    if (host == hosts_.end()) {
      later(ticket, TransportFailure{TransportFailure::Kind::dns, "no host has " + request.url});
    } else {
      travel_up(ticket, *host, std::move(request));
    }
    return ticket;
  }

  void cancel(Ticket ticket) {
    later(ticket, TransportFailure{TransportFailure::Kind::cancelled, "withdrawn", true});
  }

 private:
  struct Flight {
    Handler handler;
    Executor::Timer timeout = 0;
  };

  /// "https://api.test" is not the host of "https://api.test.example".
  static bool begins_with(std::string_view url, std::string_view host) {
    return url.starts_with(host) &&
           (url.size() == host.size() ||
            std::string_view("/?#").find(url[host.size()]) != std::string_view::npos);
  }

  /// In true time; a way of no length needs nobody to advance the machine.
  void travel(Duration span, std::function<void()> arrive) {
    if (span <= Duration{0}) return arrive();
    machine_->after(span, std::move(arrive));
  }

  /// What is on its way keeps no host, which would keep the machine that keeps what is on its way.
  void travel_up(Ticket ticket, const std::shared_ptr<Host>& to, HttpRequest request) {
    const Now sent = machine_->now();
    const Host::Delays delays = to->delays();
    travel(delays.up, [weak = weak_from_this(), ticket, weak_host = std::weak_ptr(to),
                       request = std::move(request), sent, down = delays.down] {
      const auto host = weak_host.lock();
      if (!host) return;
      Answer answer = host->receive(request, sent.boot);
      const auto self = weak.lock();
      if (!self || answer.never) return;
      const Duration more = answer.up;
      self->travel(more, [weak, ticket, weak_host, answer = std::move(answer), sent, down] {
        const auto alive = weak.lock();
        const auto there = weak_host.lock();
        if (alive && there)
          alive->travel_down(ticket, down + answer.down, there->written(answer, sent));
      });
    });
  }

  void travel_down(Ticket ticket, Duration span, SendResult result) {
    travel(span, [weak = weak_from_this(), ticket, result = std::move(result)] {
      if (const auto self = weak.lock()) self->later(ticket, result);
    });
  }

  void later(Ticket ticket, SendResult result) {
    loop_.post([weak = weak_from_this(), ticket, result = std::move(result)]() mutable {
      if (const auto self = weak.lock()) self->end(ticket, std::move(result));
    });
  }

  void fail(Ticket ticket, TransportFailure::Kind kind, std::string detail) {
    end(ticket, TransportFailure{kind, std::move(detail), true});
  }

  void end(Ticket ticket, SendResult result) {
    auto found = flights_.extract(ticket);
    if (found.empty()) return;
    loop_.cancel(found.mapped().timeout);
    if (auto* exchange = std::get_if<Exchange>(&result)) {
      exchange->received = machine_->now();
      exchange->connection = ticket;
    }
    found.mapped().handler(std::move(result));
  }

  Executor& loop_;
  const std::shared_ptr<FakeMachine> machine_;
  const std::vector<std::shared_ptr<Host>> hosts_;
  std::map<Ticket, Flight> flights_;
  Ticket last_ = 0;
};

ScriptedTransport::ScriptedTransport(Executor& loop, std::shared_ptr<FakeMachine> machine,
                                     std::vector<std::shared_ptr<Host>> hosts)
    : state_(std::make_shared<State>(loop, std::move(machine), std::move(hosts))) {}
ScriptedTransport::~ScriptedTransport() = default;

Transport::Ticket ScriptedTransport::send(HttpRequest request, const SendOptions& options,
                                          Handler handler) {
  return state_->send(std::move(request), options.deadline, std::move(handler));
}

void ScriptedTransport::cancel(Ticket ticket) {
  state_->cancel(ticket);
}

}  // namespace skewguard::testing
