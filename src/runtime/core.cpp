#include "runtime/core.hpp"

#include <algorithm>
#include <exception>
#include <string>

#include "clocks/certificate_time.hpp"
#include "genesys/dialect.hpp"
#include "http/content_coding.hpp"
#include "http/url.hpp"
#include "oauth/rfc6749_dialect.hpp"
#include "oauth/token_answer.hpp"
#include "runtime/wire_log.hpp"

namespace skewguard::runtime {
namespace {

clocks::EstimatorOptions estimator_options(const ClientOptions& options) {
  clocks::EstimatorOptions out;
  out.staleness = options.staleness;
  return out;
}

std::shared_ptr<const oauth::Dialect> make_dialect(DialectName name) {
  if (name == DialectName::rfc6749) return std::make_shared<oauth::Rfc6749Dialect>();
  return std::make_shared<genesys::GenesysDialect>();
}

/// Who may be believed: several NTP servers, before all others; of one, and of the other host's
/// Date, what they do not contradict each other about.
std::optional<TimeTold> believed(const TransportFailure& failure, WallTime local,
                                 std::optional<TimeTold> told, std::optional<TimeTold> by_other) {
  for (auto* each : {&told, &by_other})
    if (*each && !clocks::can_be_true(local, (*each)->truth)) each->reset();
  if (!told) return by_other;
  if (!by_other || told->witnesses > 1) return told;
  const bool same = clocks::fault_of(failure, local, told->truth) ==
                    clocks::fault_of(failure, local, by_other->truth);
  return same ? told : std::nullopt;
}

/// What comes out of a body that was compressed unasked, on the loop: 16 MiB take it some 50 ms.
constexpr std::size_t kDecodedLimit = std::size_t{16} * 1024 * 1024;

/// An answer with a Content-Encoding that nobody asked for, as it was before it was coded. A
/// success whose body cannot be had is no answer; of any other one the status and the fields count,
/// and it stays coded.
clocks::AnswerResult decoded(clocks::AnswerResult result, std::size_t limit) {
  auto* answer = std::get_if<clocks::Answer>(&result);
  if (answer == nullptr) return result;
  const http::Decoding found = http::decode_body(*answer, limit);
  if (answer->status < 200 || answer->status >= 300) return result;
  TransportFailure failure;
  failure.request_sent = true;
  switch (found) {
    case http::Decoding::plain:
    case http::Decoding::decoded:
    case http::Decoding::unknown:
      return result;
    case http::Decoding::broken:
      failure.kind = TransportFailure::Kind::malformed;
      failure.detail =
          "from " + answer->origin + ": the body is not what its Content-Encoding says";
      break;
    case http::Decoding::too_large:
      failure.kind = TransportFailure::Kind::too_large;
      failure.detail = "from " + answer->origin +
                       ": the body was compressed unasked, and is over " + std::to_string(limit) +
                       " bytes";
      break;
  }
  Secret::wipe(answer->body);
  return failure;
}

}  // namespace

Core::Core(ClientOptions with, Hooks hooks, EngineWorld in)
    : options(std::move(with)),
      world(std::move(in)),
      dialect(make_dialect(options.dialect)),
      book(estimator_options(options)),
      login(book.id(http::origin_of(options.login_url))),
      api(book.id(http::origin_of(options.api_url))),
      hooks_(std::move(hooks)),
      log_(hooks_.log, hooks_.log_level),
      time_(world.referee == nullptr
                ? nullptr
                : std::make_shared<ToldTime>(world.executor, world.clock, *world.referee)) {}

std::string Core::token_url() const {
  return http::join_url(options.login_url, options.token_path);
}

void Core::later(std::function<void()> function) {
  world.executor.post([this, alive = alive_, function = std::move(function)] {
    if (*alive) turns.enter(function);
  });
}

Executor::Timer Core::at(Instant when, std::function<void()> function) {
  return world.executor.call_at(when, [this, alive = alive_, function = std::move(function)] {
    if (*alive) turns.enter(function);
  });
}

Transport::Ticket Core::send(HttpRequest request, const SendOptions& with, ServerId server,
                             Instant wanted, Handler handler) {
  if (!request.headers.find("Accept-Encoding")) {
    handler = [handler = std::move(handler), limit = std::min(with.body_limit, kDecodedLimit)](
                  clocks::AnswerResult result) { handler(decoded(std::move(result), limit)); };
  }
  const auto* issuer = request.url == token_url() ? dialect.get() : nullptr;
  const auto answered = [this, alive = alive_, server, wanted,
                         wire = WireLog(log_, request, issuer),
                         handler = std::move(handler)](SendResult result) {
    if (!*alive) return;
    auto answer = clocks::read(std::move(result));
    wire.answer(answer);
    receive(server, wanted, std::move(answer), handler);
  };
  try {
    return world.transport.send(std::move(request), with, answered);
  } catch (const std::exception& e) {
    later([answered, why = std::string("the transport threw: ") + e.what()] {
      answered(TransportFailure{TransportFailure::Kind::reset, why, true});
    });
  } catch (...) {
    later([answered] {
      answered(TransportFailure{TransportFailure::Kind::reset, "the transport threw", true});
    });
  }
  return 0;
}

Transport::Handler Core::outside(ServerId server, Instant wanted, Handler handler) {
  Executor& loop = world.executor;
  return [this, &loop, alive = alive_, server, wanted,
          handler = std::move(handler)](SendResult result) {
    auto shared = std::make_shared<clocks::AnswerResult>(clocks::read(std::move(result)));
    loop.post([this, alive, server, wanted, handler, shared] {
      if (*alive) receive(server, wanted, std::move(*shared), handler);
    });
  };
}

void Core::receive(ServerId server, Instant wanted, clocks::AnswerResult result, Handler handler) {
  turns.enter([this, server, wanted, handler = std::move(handler),
               result = std::move(result)]() mutable {
    const auto* failure = std::get_if<TransportFailure>(&result);
    const bool out_of_time =
        failure != nullptr && failure->kind == TransportFailure::Kind::tls_time && !failure->told;
    if (out_of_time) return ask_for_time(server, wanted, *failure, handler);
    hand_on(server, std::move(result), handler);
  });
}

void Core::ask_for_time(ServerId server, Instant wanted, const TransportFailure& failure,
                        const Handler& handler) {
  const auto tell = [this, alive = alive_, server, handler,
                     failure](const std::optional<TimeTold>& told) {
    if (!*alive) return;
    turns.enter([this, server, handler, failure, told] {
      TransportFailure explained = failure;
      explained.told = believed(failure, now().wall, told, told_by_other(server));
      hand_on(server, std::move(explained), handler);
    });
  };
  if (time_ == nullptr) return tell(std::nullopt);
  time_->ask(wanted, tell);
}

std::optional<TimeTold> Core::told_by_other(ServerId server) const {
  const ServerId other = server == login ? api : login;
  if (other == server) return std::nullopt;
  const auto truth = view().to_wall(other);
  if (!truth) return std::nullopt;
  return TimeTold{*truth, "the Date of " + book.origin(other)};
}

void Core::hand_on(ServerId server, clocks::AnswerResult result, const Handler& handler) {
  if (const auto* answer = std::get_if<clocks::Answer>(&result)) observe(server, *answer);
  handler(std::move(result));
}

void Core::look_at_login(Instant deadline, Handler then) {
  send(HttpRequest{"HEAD", token_url(), {}, {}, {}},
       SendOptions{deadline, oauth::kMaxTokenAnswerBytes}, login, deadline, std::move(then));
}

void Core::tell_resolved(const CallReport& report) const {
  if (report.verdict != Verdict::ok) tell(hooks_.on_resolved, report);
}

}  // namespace skewguard::runtime
