// Guards calls that Boost.Beast sends, all on one io_context and one thread; plain http.
//
//   guard_with_beast METHOD PATH [METHOD PATH]...
//
// Makes the calls one after another and prints the status of each. Settings come from the
// environment (docs/guide/settings.md).
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include "skewguard/asio.hpp"
#include "skewguard/client.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using skewguard::Bearer;
using skewguard::Client;
using skewguard::Exchange;
using skewguard::SendResult;
using skewguard::TransportFailure;

/// "http://HOST:PORT" taken apart.
struct Place {
  std::string host;
  std::string port = "80";
};
Place place_of(std::string url) {
  url.erase(0, url.find("://") + 3);
  const auto colon = url.find(':');
  if (colon == std::string::npos) return {url};
  return {url.substr(0, colon), url.substr(colon + 1)};
}

/// One request with a token, and its answer. Throws boost::system::system_error.
asio::awaitable<SendResult> send(const Client& client, skewguard::GuardOptions what,
                                 Bearer bearer) {
  const Place place = place_of(client.options().api_url);
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  beast::tcp_stream stream(executor);
  stream.expires_after(
      std::chrono::ceil<std::chrono::milliseconds>(bearer.deadline - client.now()));
  const auto found = co_await resolver.async_resolve(place.host, place.port, asio::use_awaitable);
  co_await stream.async_connect(found, asio::use_awaitable);

  http::request<http::empty_body> request;
  request.method_string(what.method);
  request.target(what.path);
  request.set(http::field::host, place.host);
  request.set(http::field::authorization, bearer.authorization);
  Exchange exchange;
  exchange.sent = client.read_clocks();  // nearer to the socket it tells more of the clocks
  co_await http::async_write(stream, request, asio::use_awaitable);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.skip(what.method == "HEAD");
  co_await http::async_read_header(stream, buffer, parser, asio::use_awaitable);
  exchange.received = client.read_clocks();
  co_await http::async_read(stream, buffer, parser, asio::use_awaitable);

  auto answer = parser.release();
  exchange.status = static_cast<int>(answer.result_int());
  for (const auto& field : answer)
    exchange.headers.add(std::string(field.name_string()), std::string(field.value()));
  exchange.body = std::move(answer.body());
  co_return exchange;
}

/// Why there is no answer decides whether the request may be sent again.
TransportFailure failure_of(const std::exception_ptr& why) {
  using Kind = TransportFailure::Kind;
  try {
    std::rethrow_exception(why);
  } catch (const boost::system::system_error& error) {
    const auto code = error.code();
    if (code == asio::error::connection_refused) return {Kind::refused, code.message(), false};
    if (code == beast::error::timeout) return {Kind::timeout, code.message(), true};
    if (code == asio::error::host_not_found) return {Kind::dns, code.message(), false};
    return {Kind::reset, code.message(), true};
  } catch (...) {
    return {Kind::cancelled, "the send function threw", true};
  }
}

asio::awaitable<void> make_calls(Client& client, int argc, char** argv) {
  const auto executor = co_await asio::this_coro::executor;
  for (int i = 1; i + 1 < argc; i += 2) {
    skewguard::GuardOptions options;
    options.method = argv[i];
    options.path = argv[i + 1];
    // skewguard says with which token to send, and when; it reads the answer and asks again.
    const Client::Sender sender = [&](const Bearer& bearer, const auto& done) {
      asio::co_spawn(executor, send(client, options, bearer),
                     [done](const std::exception_ptr& why, SendResult result) {
                       done(why ? failure_of(why) : std::move(result));
                     });
    };
    const auto response =
        co_await skewguard::async_guard(client, sender, options, asio::use_awaitable);
    if (response) {
      std::cout << response->status << '\n';
    } else {
      std::cerr << skewguard::describe(response.error()) << '\n';
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context context;
  auto client = skewguard::client_from_environment(context);
  if (!client) {
    std::cerr << skewguard::describe(client.error()) << '\n';
    return 2;
  }
  // The client keeps its token fresh for as long as it lives: the context is stopped, not run out.
  asio::co_spawn(context, make_calls(*client, argc, argv),
                 [&](const std::exception_ptr&) { context.stop(); });
  context.run();
  return 0;
}
