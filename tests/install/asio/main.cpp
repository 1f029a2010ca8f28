#include <cstdlib>
#include <iostream>
#include <skewguard/asio.hpp>

// Two calls, one after the other on one connection, on an io_context that this thread runs.
int main() {
  skewguard::ClientOptions options;
  options.login_url = std::getenv("SKEWGUARD_LOGIN_URL");
  options.api_url = std::getenv("SKEWGUARD_API_URL");
  options.client_id = std::getenv("GENESYS_CLOUD_CLIENT_ID");
  options.client_secrets.emplace_back(std::getenv("GENESYS_CLOUD_CLIENT_SECRET"));

  boost::asio::io_context context{1};
  auto client = skewguard::make_client(context, options);
  if (!client) return 2;
  const auto me = [] { return skewguard::Request{.path = "/api/v2/tokens/me"}; };
  skewguard::async_call(*client, me(), [&](skewguard::Result<skewguard::Response> first) {
    std::cout << (first ? first->status : 0) << '\n';
    const auto blocked = client->get("/api/v2/tokens/me");  // would wait for its own loop
    std::cout << (blocked ? "answered" : to_string(blocked.error().kind)) << '\n';
    skewguard::async_call(*client, me(), [&](skewguard::Result<skewguard::Response> second) {
      std::cout << (second ? second->status : 0) << '\n';
      context.stop();
    });
  });
  context.run();
}
