#include "runtime/core.hpp"

#include <exception>

#include "genesys/dialect.hpp"
#include "http/url.hpp"
#include "oauth/rfc6749_dialect.hpp"

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

}  // namespace

Core::Core(ClientOptions with, Hooks hooks, EngineWorld in)
    : options(std::move(with)),
      world(std::move(in)),
      dialect(make_dialect(options.dialect)),
      book(estimator_options(options)),
      login(book.id(http::origin_of(options.login_url))),
      api(book.id(http::origin_of(options.api_url))),
      hooks_(std::move(hooks)) {}

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
                             Transport::Handler handler) {
  const auto answered = [this, alive = alive_, server,
                         handler = std::move(handler)](SendResult result) {
    if (*alive) receive(server, std::move(result), handler);
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

Transport::Handler Core::outside(ServerId server, Transport::Handler handler) {
  Executor& loop = world.executor;
  return [this, &loop, alive = alive_, server, handler = std::move(handler)](SendResult result) {
    auto shared = std::make_shared<SendResult>(std::move(result));
    loop.post([this, alive, server, handler, shared] {
      if (*alive) receive(server, std::move(*shared), handler);
    });
  };
}

void Core::receive(ServerId server, SendResult result, const Transport::Handler& handler) {
  turns.enter([this, server, handler, result = std::move(result)]() mutable {
    if (const auto* exchange = std::get_if<Exchange>(&result)) observe(server, *exchange);
    handler(std::move(result));
  });
}

void Core::look_at_login(Instant deadline, Transport::Handler then) {
  send(HttpRequest{"HEAD", token_url(), {}, {}, {}}, SendOptions{deadline, kLoginBodyLimit}, login,
       std::move(then));
}

void Core::tell_resolved(const CallReport& report) const {
  if (report.verdict != Verdict::ok) tell(hooks_.on_resolved, report);
}

}  // namespace skewguard::runtime
