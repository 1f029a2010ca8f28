#include "simulation/virtual_world.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace skewguard::simulation {
namespace {

constexpr WallTime kStart = WallTime{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

Duration scaled(Duration span, double ppm) {
  return span + Duration{std::llround(static_cast<double>(span.count()) * ppm * 1e-6)};
}

Now start_now() {
  Now now;
  now.wall = kStart;
  return now;
}

}  // namespace

/// The network: requests travel, are handled by the emulator when they arrive, answers travel back.
class VirtualWorld::Net final : public Transport {
 public:
  explicit Net(VirtualWorld& world) : world_(world) {}

  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override {
    const Ticket ticket = ++last_;
    const Fate met = world_.fate ? world_.fate(request) : Fate{};
    const std::size_t seen = note(request);
    const bool token_request = world_.seen_[seen].token_request();
    if (token_request) world_.most_at_once_ = std::max(world_.most_at_once_, ++world_.at_once_);
    pending_.emplace(
        ticket, Flight{std::move(handler), world_.now(), origin(request.url), token_request, seen});
    const Timer timeout = world_.call_at(options.deadline, [this, ticket] {
      fail(ticket, TransportFailure::Kind::timeout, "no answer in time");
    });
    pending_.at(ticket).timeout = timeout;
    if (met.kind == Fate::Kind::refused) {
      world_.post(
          [this, ticket] { fail(ticket, TransportFailure::Kind::refused, "connection refused"); });
    } else if (met.kind != Fate::Kind::lost) {
      travel_up(ticket, std::move(request), met);
    }
    return ticket;
  }

  void cancel(Ticket ticket) override {
    world_.post([this, ticket] { fail(ticket, TransportFailure::Kind::cancelled, "withdrawn"); });
  }

 private:
  struct Flight {
    Handler handler;
    Now sent;
    std::string origin;
    bool token_request = false;
    std::size_t seen = 0;
    Timer timeout = 0;
  };

  static std::string origin(const std::string& url) {
    return url.substr(0, url.find('/', url.find("//") + 2));
  }

  std::size_t note(const HttpRequest& request) {
    world_.seen_.push_back(Seen{world_.boot_, request.method, request.url,
                                std::string(request.authorization.reveal()),
                                std::string(request.body.reveal()), 0});
    return world_.seen_.size() - 1;
  }

  void travel_up(Ticket ticket, HttpRequest request, const Fate& met) {
    const bool login = request.url.starts_with(kLoginUrl);
    const auto host = login ? emulator::Host::login : emulator::Host::api;
    const emulator::Delays delays = world_.servers_.delays(host);
    const Duration there = world_.leg(world_.up) + delays.up + met.extra;
    world_.schedule(world_.true_ + there, [this, ticket, login, delays, met,
                                           request = std::move(request)] {
      const auto received = emulator::as_received(request, ticket);
      emulator::Reply reply = login ? world_.servers_.handle_login(received, world_.server_now())
                                    : world_.servers_.handle_api(received, world_.server_now());
      if (met.kind == Fate::Kind::answer_lost) return;
      if (met.spoil) met.spoil(reply);
      world_.schedule(world_.true_ + world_.leg(world_.down) + delays.down,
                      [this, ticket, reply = std::move(reply)] { deliver(ticket, reply); });
    });
  }

  void deliver(Ticket ticket, const emulator::Reply& reply) {
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) return;
    Exchange exchange;
    exchange.status = reply.status;
    exchange.headers = reply.headers;
    exchange.body = reply.body;
    exchange.sent = found->second.sent;
    exchange.received = world_.now();
    exchange.connection = ticket;
    exchange.origin = found->second.origin;
    world_.seen_[found->second.seen].status = reply.status;
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
    if (found->second.token_request) --world_.at_once_;
    world_.cancel(found->second.timeout);
    const Handler handler = std::move(found->second.handler);
    pending_.erase(found);
    handler(std::move(result));
  }

  VirtualWorld& world_;
  std::map<Ticket, Flight> pending_;
  Ticket last_ = 0;
};

VirtualWorld::VirtualWorld(emulator::WorldOptions options, std::uint64_t seed)
    : wall_(kStart),
      servers_(std::move(options), start_now(), seed),
      jitter_(seed * 77 + 5),
      net_(std::make_unique<Net>(*this)) {}
VirtualWorld::~VirtualWorld() = default;

Transport& VirtualWorld::transport() noexcept {
  return *net_;
}

VirtualWorld::Key VirtualWorld::schedule(Duration at, std::function<void()> function) {
  const Key key{std::max(at, true_), ++last_};
  due_.emplace(key, std::move(function));
  return key;
}

void VirtualWorld::post(std::function<void()> function) {
  schedule(true_, std::move(function));
}

Executor::Timer VirtualWorld::call_at(Instant at, std::function<void()> function) {
  const Timer id = ++last_;
  // The local clock may run slow: a little early is allowed, timers are hints.
  const Duration delay = std::max(Duration{0}, at - boot_);
  timers_[id] = schedule(true_ + delay, [this, id, function = std::move(function)] {
    timers_.erase(id);
    function();
  });
  return id;
}

void VirtualWorld::cancel(Timer timer) {
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return;
  due_.erase(found->second);
  timers_.erase(found);
}

Now VirtualWorld::now() {
  Now now;
  now.boot = boot_;
  now.wall = wall_;
  now.mono = mono_;
  now.raw = raw_;
  return now;
}

Now VirtualWorld::server_now() const {
  Now now;
  now.boot = Instant{true_};
  now.wall = kStart + true_;
  now.mono = MonotonicTime{true_};
  now.raw = RawTime{true_};
  return now;
}

void VirtualWorld::advance_to(Duration at) {
  const Duration span = std::max(Duration{0}, at - true_);
  true_ += span;
  boot_ += scaled(span, slew_ppm);
  mono_ += scaled(span, slew_ppm);
  wall_ += scaled(span, slew_ppm);
  raw_ += scaled(span, crystal_ppm);
}

bool VirtualWorld::run_next(Duration limit) {
  if (due_.empty() || due_.begin()->first.first > limit) return false;
  const auto node = due_.extract(due_.begin());
  advance_to(node.key().first);
  node.mapped()();
  return true;
}

void VirtualWorld::run_for(Duration span) {
  const Duration end = true_ + span;
  while (run_next(end)) {
  }
  advance_to(end);
}

bool VirtualWorld::run_while(const std::function<bool()>& busy, Duration at_most) {
  const Duration end = true_ + at_most;
  while (busy()) {
    if (!run_next(end)) return false;
  }
  return true;
}

// True time passes while this machine runs nothing: its timers are late by the whole span.
void VirtualWorld::skip(Duration span) {
  true_ += span;
  std::map<Timer, Key> moved;
  for (const auto& [timer, key] : timers_) {
    auto node = due_.extract(key);
    moved[timer] = schedule(key.first + span, std::move(node.mapped()));
  }
  timers_ = std::move(moved);
}

void VirtualWorld::suspend(Duration span) {
  skip(span);
  boot_ += span;
  wall_ += span;
}

void VirtualWorld::stand_still(Duration span) {
  skip(span);
  if (vm_marker) ++*vm_marker;
}

Duration VirtualWorld::leg(const Path& path) {
  const double tail = -std::log(1.0 - jitter_.next());
  return path.least + Duration{std::llround(tail * static_cast<double>(path.jitter.count()))};
}

std::size_t VirtualWorld::token_requests() const {
  return static_cast<std::size_t>(std::count_if(
      seen_.begin(), seen_.end(), [](const Seen& request) { return request.token_request(); }));
}

std::size_t VirtualWorld::rejections() const {
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
  options.client_secret = Secret{"demo-secret"};
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

}  // namespace

VirtualClient::VirtualClient(VirtualWorld& world, ClientOptions options, std::uint64_t seed)
    : world_(world),
      options_(options),
      engine_(std::move(options), hooks_into(*this),
              runtime::EngineWorld{world, world, world.transport(), nullptr, seed, &world}) {}

VirtualClient::Pending VirtualClient::start(const Request& request) {
  auto pending = std::make_shared<std::optional<Outcome>>();
  const Instant deadline = world_.boot() + request.timeout.value_or(options_.timeout);
  engine_.call(request, deadline, [this, pending](guard::action::Finish finished) {
    Outcome outcome;
    if (finished.answer) {
      outcome.status = finished.answer->status;
      outcome.body = finished.answer->body;
    }
    outcome.error = std::move(finished.error);
    outcome.report = std::move(finished.report);
    outcome.ended = world_.boot();
    *pending = std::move(outcome);
  });
  return pending;
}

VirtualClient::Outcome VirtualClient::call(const Request& request) {
  const Pending pending = start(request);
  world_.run_while([&pending] { return !pending->has_value(); }, std::chrono::hours{1});
  if (pending->has_value()) return std::move(**pending);
  Outcome never;
  never.error = Error{ErrorKind::timeout, "the call never ended", "", nullptr};
  return never;
}

VirtualClient::Outcome VirtualClient::get(const std::string& path) {
  Request request;
  request.path = path;
  return call(request);
}

Result<BearerToken> VirtualClient::token(const TokenRequestOptions& options) {
  std::optional<Result<BearerToken>> out;
  engine_.token(options, world_.boot() + options_.timeout,
                [&out](Result<BearerToken> result) { out = std::move(result); });
  world_.run_while([&out] { return !out.has_value(); }, std::chrono::hours{1});
  if (out) return std::move(*out);
  return Error{ErrorKind::timeout, "no token came", "", nullptr};
}

}  // namespace skewguard::simulation
