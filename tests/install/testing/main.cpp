#include <chrono>
#include <iostream>
#include <skewguard/testing.hpp>

// A program under test: its machine is suspended for longer than its token lives.
int main() {
  skewguard::testing::World world;
  auto client = skewguard::Client::make(world.options(), {}, world.dependencies());
  if (!client || !client->get("/api/v2/users")) return 1;
  world.machine().suspend(std::chrono::hours{2});
  const auto answer = client->get("/api/v2/users");
  if (!answer || world.refused_requests() > 0) return 1;
  std::cout << answer->status << " and none refused\n";
}
