#include "simulation/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

namespace skewguard::simulation {
namespace {

constexpr WallTime kStart = WallTime{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

Now start_now() {
  Now now;
  now.wall = kStart;
  return now;
}

}  // namespace

/// The network: requests travel, the emulator handles them when they arrive, and answers travel
/// back.
class VirtualProcess::Net final : public Transport, public std::enable_shared_from_this<Net> {
 public:
  Net(Simulation& simulation, VirtualProcess& process)
      : simulation_(simulation), process_(process) {}
  ~Net() override {
    for (const auto& [ticket, flight] : pending_)
      simulation_.at_once_ -= flight.token_request ? 1 : 0;
  }
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override {
    const Ticket ticket = ++last_;
    if (!process_.loop.alive()) return ticket;
    if (const auto kind = process_.breaks ? process_.breaks(request) : std::nullopt) {
      process_.broken.push_back(request.method);
      const TransportFailure failure{*kind, "ordered", *kind == TransportFailure::Kind::reset};
      process_.loop.post([handler = std::move(handler), failure] { handler(failure); });
      return ticket;
    }
    const Fate met = simulation_.fate ? simulation_.fate(request) : Fate{};
    const std::size_t seen = note(request);
    const bool token_request = simulation_.seen_[seen].token_request();
    if (token_request)
      simulation_.max_at_once_ = std::max(simulation_.max_at_once_, ++simulation_.at_once_);
    const auto timeout = process_.loop.call_at(options.deadline, [this, ticket] {
      fail(ticket, TransportFailure::Kind::timeout, "no answer in time");
    });
    pending_.emplace(ticket, Flight{std::move(handler), machine().now(), origin(request.url),
                                    token_request, seen, timeout});
    if (met.kind == Fate::Kind::refused) {
      process_.loop.post(
          [this, ticket] { fail(ticket, TransportFailure::Kind::refused, "connection refused"); });
    } else if (met.kind != Fate::Kind::lost) {
      travel_up(ticket, std::move(request), met);
    }
    return ticket;
  }

  void cancel(Ticket ticket) override {
    process_.loop.post(
        [this, ticket] { fail(ticket, TransportFailure::Kind::cancelled, "withdrawn"); });
  }

 private:
  struct Flight {
    Handler handler;
    Now sent;
    std::string origin;
    bool token_request = false;
    std::size_t seen = 0;
    Executor::Timer timeout = 0;
  };

  virtual_time::Machine& machine() { return process_.loop.machine(); }

  static std::string origin(const std::string& url) {
    return url.substr(0, url.find('/', url.find("//") + 2));
  }

  std::size_t note(const HttpRequest& request) {
    simulation_.seen_.push_back(Seen{machine().now().boot, request.method, request.url,
                                     std::string(request.authorization.reveal()),
                                     std::string(request.body.reveal()), 0});
    return simulation_.seen_.size() - 1;
  }

  void travel_up(Ticket ticket, HttpRequest request, const Fate& met) {
    const bool login = request.url.starts_with(kLoginUrl);
    const auto host = login ? emulator::Host::login : emulator::Host::api;
    const emulator::Delays delays = simulation_.servers_.delays(host);
    const Duration there = simulation_.leg(simulation_.up) + delays.up + met.extra;
    simulation_.timeline_.after(there, [&simulation = simulation_, weak = weak_from_this(), ticket,
                                        login, delays, met, request = std::move(request)] {
      const auto received = emulator::as_received(request, ticket);
      emulator::Reply reply =
          login ? simulation.servers_.handle_login(received, simulation.server_now())
                : simulation.servers_.handle_api(received, simulation.server_now());
      if (met.kind == Fate::Kind::answer_lost) return;
      if (met.spoil) met.spoil(reply);
      const Duration back = simulation.leg(simulation.down) + delays.down + met.extra_down;
      simulation.timeline_.after(back, [weak, ticket, reply = std::move(reply)] {
        if (const auto net = weak.lock()) net->arrive(ticket, reply);
      });
    });
  }

  void arrive(Ticket ticket, const emulator::Reply& reply) {
    process_.loop.post([this, ticket, reply] { deliver(ticket, reply); });
  }

  void deliver(Ticket ticket, const emulator::Reply& reply) {
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) return;
    Exchange exchange;
    exchange.status = reply.status;
    exchange.headers = reply.headers;
    exchange.body = reply.body;
    exchange.sent = found->second.sent;
    exchange.received = machine().now();
    exchange.connection = ticket;
    exchange.origin = found->second.origin;
    simulation_.seen_[found->second.seen].status = reply.status;
    end(found, std::move(exchange));
  }

  void fail(Ticket ticket, TransportFailure::Kind kind, std::string detail) {
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) return;
    TransportFailure failure;
    failure.kind = kind;
    failure.detail = found->second.origin + ": " + std::move(detail);
    failure.request_sent = kind != TransportFailure::Kind::refused;
    end(found, std::move(failure));
  }

  void end(std::map<Ticket, Flight>::iterator found, SendResult result) {
    if (found->second.token_request) --simulation_.at_once_;
    process_.loop.cancel(found->second.timeout);
    const Handler handler = std::move(found->second.handler);
    pending_.erase(found);
    handler(std::move(result));
  }

  Simulation& simulation_;
  VirtualProcess& process_;
  std::map<Ticket, Flight> pending_;
  Ticket last_ = 0;
};

VirtualProcess::VirtualProcess(Simulation& simulation, virtual_time::Machine& machine)
    : loop(machine), simulation_(simulation), net_(std::make_shared<Net>(simulation, *this)) {}
VirtualProcess::~VirtualProcess() = default;

Transport& VirtualProcess::transport() noexcept {
  return *net_;
}

void VirtualProcess::freeze_for(Duration span) {
  loop.freeze();
  simulation_.run_for(span);
  loop.thaw();
}

engine::EngineDeps VirtualProcess::engine_deps(std::uint64_t seed) {
  auto& machine = loop.machine();
  return {loop, machine, *net_, nullptr, seed, &machine};
}

Simulation::Simulation(emulator::CloudOptions options, std::uint64_t seed)
    : machine_(timeline_, Machine::booted(kStart)),
      servers_(std::move(options), start_now(), seed),
      jitter_(seed * 77 + 5),
      another_(std::make_unique<VirtualProcess>(*this)) {}
Simulation::~Simulation() = default;

Transport& Simulation::transport() noexcept {
  return another_->transport();
}

Now Simulation::server_now() const {
  const Duration passed = timeline_.now();
  Now now;
  now.boot = Instant{passed};
  now.wall = kStart + passed;
  now.mono = MonotonicTime{passed};
  now.raw = RawTime{passed};
  return now;
}

void Simulation::pass(Duration span, Machine::State state) {
  machine_.enter(state);
  run_for(span);
  machine_.enter(Machine::State::running);
}

Duration Simulation::leg(const Path& path) {
  const double tail = -std::log(1.0 - jitter_.next());
  return path.min + Duration{std::llround(tail * static_cast<double>(path.jitter.count()))};
}

std::size_t Simulation::token_requests() const {
  return static_cast<std::size_t>(std::count_if(
      seen_.begin(), seen_.end(), [](const Seen& request) { return request.token_request(); }));
}

std::size_t Simulation::rejections() const {
  return static_cast<std::size_t>(
      std::count_if(seen_.begin(), seen_.end(), [](const Seen& request) {
        return request.status == 401 && request.url.starts_with(kApiUrl) &&
               !request.authorization.empty();
      }));
}

ClientOptions VirtualClient::default_options() {
  ClientOptions options;
  options.login_url = kLoginUrl;
  options.api_url = kApiUrl;
  options.client_id = "demo";
  options.client_secrets = {Secret{"demo-secret"}};
  return options;
}

namespace {

void maybe_throw(const VirtualClient& client) {
  if (client.throw_in_hooks) throw std::runtime_error("a hook of the user's");
}

Hooks hooks_into(VirtualClient& client) {
  Hooks hooks;
  hooks.on_rejection = [&client](const Rejection& rejection) {
    client.rejections.push_back(rejection);
    maybe_throw(client);
  };
  hooks.on_resolved = [&client](const CallReport& report) {
    client.resolved.push_back(report);
    maybe_throw(client);
  };
  hooks.log = [&client](const LogLine& line) {
    client.log.push_back(line);
    maybe_throw(client);
  };
  return hooks;
}

engine::EngineDeps deps_of(VirtualProcess& process, const Secret& given, std::uint64_t seed) {
  engine::EngineDeps deps = process.engine_deps(seed);
  if (!given.empty()) deps.given_token = std::make_shared<const Secret>(given);
  return deps;
}

}  // namespace

VirtualClient::VirtualClient(Simulation& simulation, const ClientOptions& options,
                             std::uint64_t seed)
    : process(simulation),
      simulation_(simulation),
      options_(options),
      engine_(options, oauth::client_credentials(options, options.client_secrets),
              hooks_into(*this), deps_of(process, options.access_token, seed)) {}

VirtualClient::Pending VirtualClient::start(const Request& request) {
  auto pending = std::make_shared<std::optional<Outcome>>();
  const Instant deadline = simulation_.boot() + request.timeout.value_or(options_.timeout);
  engine_.call(request, deadline, [this, pending](guard::action::Finish finished) {
    Outcome outcome;
    if (finished.answer) {
      outcome.status = finished.answer->status;
      outcome.body = finished.answer->body;
    }
    outcome.error = std::move(finished.error);
    outcome.report = std::move(finished.report);
    outcome.ended = simulation_.boot();
    *pending = std::move(outcome);
  });
  return pending;
}

VirtualClient::Outcome VirtualClient::call(const Request& request) {
  const Pending pending = start(request);
  simulation_.run_while([&pending] { return !pending->has_value(); }, std::chrono::hours{1});
  if (pending->has_value()) return std::move(**pending);
  Outcome never;
  never.error = Error{ErrorKind::timeout, "the call never ended", "", nullptr};
  return never;
}

VirtualClient::Outcome VirtualClient::get(const std::string& path, const std::string& method) {
  Request request;
  request.method = method;
  request.path = path;
  return call(request);
}

Result<BearerToken> VirtualClient::token(const TokenRequestOptions& options) {
  std::optional<Result<BearerToken>> out;
  engine_.token(options, simulation_.boot() + options_.timeout,
                [&out](Result<BearerToken> result) { out = std::move(result); });
  simulation_.run_while([&out] { return !out.has_value(); }, std::chrono::hours{1});
  if (out) return std::move(*out);
  return Error{ErrorKind::timeout, "no token came", "", nullptr};
}

}  // namespace skewguard::simulation
