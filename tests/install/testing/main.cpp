#include <chrono>
#include <iostream>
#include <skewguard/testing.hpp>

// A program under test: its machine is suspended for longer than its token lives.
int main() {
  skewguard::testing::TestEnvironment env;
  auto client = skewguard::Client::make(env.options(), {}, env.dependencies());
  if (!client || !client->get("/api/v2/users")) return 1;
  env.machine().suspend(std::chrono::hours{2});
  const auto answer = client->get("/api/v2/users");
  if (!answer || env.refused_requests() > 0) return 1;
  std::cout << answer->status << " and none refused\n";
}
