#include "emulator/cloud_emulator.hpp"

#include <algorithm>
#include <utility>

#include "emulator/encoding.hpp"
#include "emulator/hosts.hpp"
#include "time/duration_text.hpp"

namespace skewguard::emulator {
namespace {

constexpr std::size_t kTextKept = 200;  // of a method or path, in the records
constexpr std::string_view kControlPrefix = "/emulator/";

std::string path_of(std::string_view target) {
  auto parsed = parse_target(target.substr(0, target.find('?')));
  return parsed ? std::move(parsed->path) : std::string{};
}

RequestRecord record_of(Host host, const ServerRequest& request) {
  RequestRecord record;
  record.host = host;
  record.method = request.method.substr(0, kTextKept);
  record.path = path_of(request.target);
  return record;
}

std::vector<Client> with_default(std::vector<Client> clients) {
  if (clients.empty()) clients.push_back({"demo", {Secret("demo-secret")}, ""});
  return clients;
}

std::vector<SkewedClock> clocks_of(const std::vector<ClockOptions>& options, const Now& start) {
  std::vector<SkewedClock> clocks;
  clocks.reserve(options.size() + 1);
  for (const auto& one : options) clocks.emplace_back(start, one);
  if (clocks.empty()) clocks.emplace_back(start, ClockOptions{});
  return clocks;
}

std::chrono::seconds date_of(const SkewedClock& clock, const Now& now) {
  return std::chrono::floor<std::chrono::seconds>(clock.reading(now.boot));
}

void stamp_truly(Reply& reply, std::chrono::seconds date) {
  reply.headers.add("Date", http_date(date));
}

/// docs/platform.md 4.
void tell_limit(Reply& reply, const RateLimit& limit, const RateWindow& window, Duration age) {
  const auto add = [&reply](std::string name, std::uint64_t value) {
    reply.headers.add(std::move(name), std::to_string(value));
  };
  add("inin-ratelimit-count", window.seen(limit, age));
  add("inin-ratelimit-allowed", limit.requests.value_or(kApiAllowed));
  add("inin-ratelimit-reset", static_cast<std::uint64_t>(window.reset(limit, age).count()));
}

}  // namespace

CloudEmulator::CloudEmulator(CloudOptions options, const Now& start, std::uint64_t seed)
    : start_(start),
      settings_(std::move(options.settings)),
      login_clock_(start, options.login_clock),
      api_clocks_(clocks_of(options.api_clocks, start)),
      clients_(with_default(std::move(options.clients))),
      mint_(seed) {
  schedule(std::move(options.events));
}

Reply CloudEmulator::handle_login(const ServerRequest& request, const Now& now) {
  advance(now);
  auto record = record_of(Host::login, request);
  record.date = date_of(login_clock_, now);
  return answer(
      {*this, request, record.date, mint_.uuid(), record, age(now), login_clock_.reading(now.boot)},
      login_clock_);
}

Reply CloudEmulator::handle_api(const ServerRequest& request, const Now& now) {
  advance(now);
  return handle_api(request, now, pick_backend(request));
}

Reply CloudEmulator::handle_api(const ServerRequest& request, const Now& now, std::size_t backend) {
  advance(now);
  backend = std::min(backend, api_clocks_.size() - 1);
  const auto& clock = api_clocks_[backend];
  auto record = record_of(Host::api, request);
  record.backend = backend;
  record.date = date_of(clock, now);
  record.body_length = request.digest ? request.digest->size : request.body.size();
  if (record.body_length > 0)
    record.body_sha256 = request.digest ? request.digest->sha256 : hex(sha256(request.body));
  return answer(
      {*this, request, record.date, mint_.uuid(), record, age(now), clock.reading(now.boot)},
      clock);
}

Reply CloudEmulator::handle_control(const ServerRequest& request, const Now& now) {
  advance(now);
  auto reply = answer_control(*this, request, now);
  stamp_truly(reply, date_of(login_clock_, now));
  return reply;
}

Reply CloudEmulator::refuse(Host host, int status, const Now& now) {
  const auto text = status == 413   ? "the body is too large"
                    : status == 431 ? "the header fields are too large"
                    : status == 408 ? "the request did not come in time"
                                    : "the request is malformed";
  const auto correlation = mint_.uuid();
  auto reply = host == Host::login ? login_error(status, "invalid_request", text, "unreadable")
                                   : api_error(status, "bad.request", text, correlation);
  reply.headers.add("ININ-Correlation-Id", correlation);
  stamp_truly(reply, date_of(host == Host::login ? login_clock_ : api_clocks_.front(), now));
  ++stats_.unreadable;
  return reply;
}

std::optional<std::uint64_t> CloudEmulator::early(Host host, std::string_view target) const {
  const auto path = path_of(target);
  if (host == Host::login && path.starts_with(kControlPrefix)) return std::nullopt;
  return faults_.early(host, path);
}

std::optional<Delivery::Kind> CloudEmulator::take_cut(std::uint64_t bytes) {
  const auto kind = faults_.take_cut(bytes);
  if (kind) ++stats_.requests_cut[std::string(to_string(*kind))];
  return kind;
}

bool CloudEmulator::is_control(const ServerRequest& request) {
  return path_of(request.target).starts_with(kControlPrefix);
}

const Delays& CloudEmulator::delays(Host host) const noexcept {
  return host == Host::login ? settings_.login_delays : settings_.api_delays;
}

bool CloudEmulator::add_backend(const ClockOptions& options, const Now& now) {
  if (api_clocks_.size() >= kMaxBackends) return false;
  api_clocks_.push_back(api_clocks_.front().sibling(options, now));
  return true;
}

std::size_t CloudEmulator::pick_backend(const ServerRequest& request) {
  const auto turn =
      settings_.choice == BackendChoice::per_connection ? request.connection : api_turn_++;
  return settings_.pinned_backend.value_or(turn % api_clocks_.size());
}

Reply CloudEmulator::answer(const Visit& visit, const SkewedClock& clock) {
  const auto& record = visit.record;
  const auto effect = faults_.take(record.host, record.path, record.backend.value_or(0));
  auto reply = effect.replaces()            ? answer_in_place(visit, effect)
               : record.host == Host::login ? answer_login(visit)
                                            : answer_api(visit);
  spoil_token(reply, visit, effect);
  spoil(reply, effect, visit.reading);
  return finish(visit, std::move(reply), effect, clock);
}

/// The last thing that happens to every answer of a host.
Reply CloudEmulator::finish(const Visit& visit, Reply reply, const Effect& effect,
                            const SkewedClock& clock) {
  auto& record = visit.record;
  reply.headers.add("ININ-Correlation-Id", visit.correlation);
  auto* token =
      record.host == Host::api && record.token ? tokens_.by_number(*record.token) : nullptr;
  if (token != nullptr) {
    ++token->answers[reply.status];
    tell_limit(reply, settings_.api_limit, token->window, visit.age);
  }
  stamp(reply, effect.date,
        {visit.date, visit.reading, clock.reading(start_.boot), visit.age,
         record.backend.value_or(0), record.path});
  if (visit.request.method == "HEAD" || reply.status == 304) {  // RFC 9110 6.4.1
    reply.body.clear();
    reply.download.reset();
  }

  record.path.resize(std::min(record.path.size(), kTextKept));
  record.status = reply.status;
  record.outcome = reply.outcome;
  record.faults = effect.words();
  record.at = visit.age;
  record.correlation = visit.correlation;
  stats_.count(std::move(record));
  return reply;
}

bool CloudEmulator::add_fault(Fault fault, const Now& now) {
  if (fault.effect.date) {
    auto& date = *fault.effect.date;
    date.since = age(now);
    if (fault.host == Host::login) date.then = {date_of(login_clock_, now)};
    if (fault.host == Host::api) {
      date.then.clear();
      for (const auto& clock : api_clocks_) date.then.push_back(date_of(clock, now));
    }
  }
  return faults_.add(std::move(fault));
}

void CloudEmulator::set_token_rules(TokenRules rules, const Now& now) {
  settings_.token_rules = std::move(rules);
  next_rival_ = age(now) + settings_.token_rules.rival;
  rivals_.clear();
}

void CloudEmulator::schedule(std::vector<Event> events) {
  for (auto& event : events) {
    const auto place = std::ranges::upper_bound(events_, event.at, {}, &Event::at);
    events_.insert(place, std::move(event));
  }
}

Now CloudEmulator::then(Duration age) const {
  Now out = start_;
  out.boot += age;
  out.wall += age;
  return out;
}

void CloudEmulator::advance(const Now& now) {
  const auto until = age(now);
  for (;;) {
    const auto& rival = settings_.token_rules.rival;
    const bool rivals = rival > Duration::zero() && next_rival_ <= until;
    const bool event = !events_.empty() && events_.front().at <= until;
    if (event && !(rivals && next_rival_ < events_.front().at)) {
      const auto next = std::move(events_.front());
      events_.pop_front();
      apply(next, then(next.at));
    } else if (rivals) {
      let_rivals_act(next_rival_);
      next_rival_ += rival;
    } else {
      return;
    }
  }
}

/// By the same code as a control request.
void CloudEmulator::apply(const Event& event, const Now& now) {
  const auto reply =
      answer_control(*this, {"POST", "/emulator/" + event.order, {}, event.fields}, now);
  if (reply.status == 200) return;
  refused_.push_back("at " + time::human(event.at) + ": " + event.order + ": " + reply.body);
}

void CloudEmulator::let_rivals_act(Duration age) {
  const auto date = date_of(login_clock_, then(age));
  for (const auto& [id, last] : last_tokens_) {
    const auto* client = clients_.find(id);
    if (client == nullptr || client->disabled) continue;
    auto& own = rivals_[id];
    const auto* token = own == 0 ? nullptr : tokens_.by_number(own);
    const bool lives = token != nullptr && standing(*token, date) == Standing::good;
    if (!lives) own = issue_token(*this, *client, date, age).record.n;
  }
}

Reply json_reply(int status, std::string body, std::string outcome) {
  Reply reply;
  reply.status = status;
  if (!body.empty()) reply.headers.add("Content-Type", "application/json");
  reply.headers.add("Cache-Control", "no-cache, no-store, must-revalidate");
  reply.headers.add("Pragma", "no-cache");
  reply.body = std::move(body);
  reply.outcome = std::move(outcome);
  return reply;
}

}  // namespace skewguard::emulator
