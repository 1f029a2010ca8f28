#include "emulator/world.hpp"

#include <algorithm>
#include <utility>

#include "emulator/encoding.hpp"
#include "emulator/hosts.hpp"

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

void stamp(Reply& reply, std::chrono::seconds date) {
  reply.headers.add("Date", http_date(date));
}

}  // namespace

World::World(WorldOptions options, const Now& start, std::uint64_t seed)
    : start_(start),
      settings_(std::move(options.settings)),
      login_clock_(start, options.login_clock),
      api_clocks_(clocks_of(options.api_clocks, start)),
      clients_(with_default(std::move(options.clients))),
      mint_(seed) {}

Reply World::handle_login(const ServerRequest& request, const Now& now) {
  auto record = record_of(Host::login, request);
  record.date = date_of(login_clock_, now);
  const Visit visit{*this, request, record.date, mint_.uuid(), record};
  return finish(visit, answer_login(visit), now);
}

Reply World::handle_api(const ServerRequest& request, const Now& now) {
  return handle_api(request, now, pick_backend(request));
}

Reply World::handle_api(const ServerRequest& request, const Now& now, std::size_t backend) {
  backend = std::min(backend, api_clocks_.size() - 1);
  auto record = record_of(Host::api, request);
  record.backend = backend;
  record.date = date_of(api_clocks_[backend], now);
  const Visit visit{*this, request, record.date, mint_.uuid(), record};
  return finish(visit, answer_api(visit), now);
}

Reply World::handle_control(const ServerRequest& request, const Now& now) {
  auto reply = answer_control(*this, request, now);
  stamp(reply, date_of(login_clock_, now));
  return reply;
}

Reply World::refuse(Host host, int status, const Now& now) {
  const auto text = status == 413   ? "the body is too large"
                    : status == 431 ? "the header fields are too large"
                    : status == 408 ? "the request did not come in time"
                                    : "the request is malformed";
  const auto correlation = mint_.uuid();
  auto reply = host == Host::login ? login_error(status, "invalid_request", text, "unreadable")
                                   : api_error(status, "bad.request", text, correlation);
  reply.headers.add("ININ-Correlation-Id", correlation);
  stamp(reply, date_of(host == Host::login ? login_clock_ : api_clocks_.front(), now));
  ++stats_.unreadable;
  return reply;
}

bool World::is_control(const ServerRequest& request) {
  return path_of(request.target).starts_with(kControlPrefix);
}

const Delays& World::delays(Host host) const noexcept {
  return host == Host::login ? settings_.login_delays : settings_.api_delays;
}

bool World::add_backend(const ClockOptions& options, const Now& now) {
  if (api_clocks_.size() >= kMaxBackends) return false;
  api_clocks_.push_back(api_clocks_.front().sibling(options, now));
  return true;
}

std::size_t World::pick_backend(const ServerRequest& request) {
  const auto turn =
      settings_.choice == BackendChoice::per_connection ? request.connection : api_turn_++;
  return settings_.pinned_backend.value_or(turn % api_clocks_.size());
}

/// The last thing that happens to every answer of a host: faults of the wire belong here.
Reply World::finish(const Visit& visit, Reply reply, const Now& now) {
  reply.headers.add("ININ-Correlation-Id", visit.correlation);
  stamp(reply, visit.date);
  if (visit.request.method == "HEAD") reply.body.clear();

  auto& record = visit.record;
  record.path.resize(std::min(record.path.size(), kTextKept));
  record.status = reply.status;
  record.outcome = reply.outcome;
  record.at = age(now);
  if (record.host == Host::api && record.token) {
    if (auto* token = tokens_.by_number(*record.token)) ++token->answers[reply.status];
  }
  stats_.count(std::move(record));
  return reply;
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
