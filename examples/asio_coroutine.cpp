// The shortest asynchronous program: one call, awaited. Settings come from the environment.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>

#include "skewguard/asio.hpp"

namespace {

boost::asio::awaitable<void> call(skewguard::Client& client) {
  skewguard::Request request;
  request.path = "/api/v2/tokens/me";
  const auto answer = co_await skewguard::async_call(client, request, boost::asio::use_awaitable);
  if (answer) std::cout << answer->status << '\n' << answer->body << '\n';
  if (!answer) std::cerr << skewguard::describe(answer.error()) << '\n';
}

}  // namespace

int main() {
  boost::asio::io_context context;
  auto client = skewguard::client_from_environment(context);
  if (!client) {
    std::cerr << skewguard::describe(client.error()) << '\n';
    return 2;
  }
  boost::asio::co_spawn(context, call(*client), [&](auto) { context.stop(); });
  context.run();
  return 0;
}
