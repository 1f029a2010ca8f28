#include "engine/sender.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "clocks/certificate_time.hpp"
#include "engine/wire_log.hpp"
#include "http/content_coding.hpp"
#include "http/url.hpp"
#include "oauth/token_answer.hpp"

namespace skewguard::engine {
namespace {

/// Which time to believe: that of several NTP servers before all others; that of one, or of the
/// other host's Date, unless the two contradict each other.
std::optional<TimeReport> believed(const TransportFailure& failure, WallTime local,
                                   std::optional<TimeReport> report,
                                   std::optional<TimeReport> by_other) {
  for (auto* each : {&report, &by_other})
    if (*each && !clocks::can_be_true(local, (*each)->offset)) each->reset();
  if (!report) return by_other;
  if (!by_other || report->servers > 1) return report;
  const bool same = clocks::fault_of(failure, local, report->offset) ==
                    clocks::fault_of(failure, local, by_other->offset);
  return same ? report : std::nullopt;
}

/// The limit of a body that was compressed unasked. It is decoded on the loop: 16 MiB take some 50
/// ms.
constexpr std::size_t kDecodedLimit = std::size_t{16} * 1024 * 1024;

/// Decodes an answer with a Content-Encoding that nobody asked for. A success whose body cannot be
/// decoded is not an answer; for any other status, the status and the fields count, and the body
/// stays encoded.
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
                       ": the body was compressed although nobody asked for it, and is over " +
                       std::to_string(limit) + " bytes";
      break;
  }
  Secret::wipe(answer->body);
  return failure;
}

}  // namespace

Sender::Sender(Uses uses) : uses_(std::move(uses)) {
  if (uses_.referee != nullptr) time_.emplace(uses_.loop, *uses_.referee);
}

Transport::Ticket Sender::send(HttpRequest request, const SendOptions& with, ServerId server,
                               Instant wanted, Handler handler) {
  if (!request.headers.find("Accept-Encoding")) {
    handler = [handler = std::move(handler), limit = std::min(with.body_limit, kDecodedLimit)](
                  clocks::AnswerResult result) { handler(decoded(std::move(result), limit)); };
  }
  const auto* issuer = request.url == token_url() ? &uses_.dialect : nullptr;
  const Transport::Handler answered =
      uses_.loop.while_alive([this, server, wanted, wire = WireLog(uses_.log, request, issuer),
                              handler = std::move(handler)](SendResult result) {
        clocks::AnswerResult answer = clocks::read(std::move(result));
        wire.answer(answer);
        receive(server, wanted, std::move(answer), handler);
      });
  try {
    return uses_.transport.send(std::move(request), with, answered);
  } catch (const std::exception& e) {
    uses_.loop.later([answered, why = std::string("the transport threw: ") + e.what()] {
      answered(TransportFailure{TransportFailure::Kind::reset, why, true});
    });
  } catch (...) {
    uses_.loop.later([answered] {
      answered(TransportFailure{TransportFailure::Kind::reset, "the transport threw", true});
    });
  }
  return 0;
}

Transport::Handler Sender::outside(ServerId server, Instant wanted, Handler handler) {
  const Handler answered = uses_.loop.while_alive(
      [this, server, wanted, handler = std::move(handler)](clocks::AnswerResult result) {
        receive(server, wanted, std::move(result), handler);
      });
  return [answered, &executor = uses_.loop.executor()](SendResult result) {
    // The user's stack may have followed a redirect.
    auto* exchange = std::get_if<Exchange>(&result);
    if (exchange != nullptr && !exchange->origin.empty())
      exchange->origin = http::origin_of(exchange->origin);
    auto shared = std::make_shared<clocks::AnswerResult>(clocks::read(std::move(result)));
    executor.post([answered, shared] { answered(std::move(*shared)); });
  };
}

void Sender::receive(ServerId server, Instant wanted, clocks::AnswerResult result,
                     Handler handler) {
  uses_.loop.enter(
      [this, server, wanted, handler = std::move(handler), result = std::move(result)]() mutable {
        const auto* failure = std::get_if<TransportFailure>(&result);
        const bool out_of_time = failure != nullptr &&
                                 failure->kind == TransportFailure::Kind::tls_time &&
                                 !failure->time_report;
        if (out_of_time) return ask_for_time(server, wanted, *failure, handler);
        hand_on(server, std::move(result), handler);
      });
}

void Sender::ask_for_time(ServerId server, Instant wanted, const TransportFailure& failure,
                          const Handler& handler) {
  const auto explain = [this, server, handler, failure](const std::optional<TimeReport>& report) {
    TransportFailure explained = failure;
    explained.time_report =
        believed(failure, uses_.clocks.now().wall, report, time_by_other(server));
    hand_on(server, std::move(explained), handler);
  };
  if (!time_) return explain(std::nullopt);
  time_->ask(wanted, explain);
}

/// The time by the clock of the other host.
std::optional<TimeReport> Sender::time_by_other(ServerId server) const {
  const HostClocks& clocks = uses_.clocks;
  const ServerId other = server == clocks.login() ? clocks.api() : clocks.login();
  if (other == server) return std::nullopt;
  const auto truth = clocks.view().to_wall(other);
  if (!truth) return std::nullopt;
  return TimeReport{*truth, "the Date of " + clocks.origin(other)};
}

void Sender::hand_on(ServerId server, clocks::AnswerResult result, const Handler& handler) {
  if (const auto* answer = std::get_if<clocks::Answer>(&result)) uses_.observe(server, *answer);
  handler(std::move(result));
}

void Sender::look_at_login(Instant deadline, Handler then) {
  send(HttpRequest{"HEAD", token_url(), {}, {}, {}},
       SendOptions{deadline, oauth::kMaxTokenAnswerBytes}, uses_.clocks.login(), deadline,
       std::move(then));
}

}  // namespace skewguard::engine
