// A long-running program that shares one client between threads. It reads orders from stdin, one a
// line: `COUNT METHOD PATH [BODY]` makes COUNT blocking calls at once, each on a thread of its own.
// For each call it prints the length of its report in bytes on a line, then the report (JSON);
// after the last one of an order a line with 0. Settings come from the environment.
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "skewguard/client.hpp"

namespace {

std::string report_of(const skewguard::Result<skewguard::Response>& result) {
  if (result) return skewguard::to_json(result->report);
  const auto& error = result.error();
  return error.report ? skewguard::to_json(*error.report) : "{}";
}

void run_order(skewguard::Client& client, const std::string& line) {
  std::istringstream order(line);
  int count = 0;
  skewguard::Request request;
  order >> count >> request.method >> request.path;
  std::getline(order >> std::ws, request.body);
  if (!request.body.empty()) request.headers.add("Content-Type", "application/json");

  std::mutex printing;
  std::vector<std::thread> callers;
  for (int i = 0; i < count; ++i) {
    callers.emplace_back([&] {
      const std::string report = report_of(client.call(request));
      const std::lock_guard lock(printing);
      std::cout << report.size() << '\n' << report;
    });
  }
  for (auto& caller : callers) caller.join();
  std::cout << "0\n" << std::flush;
}

}  // namespace

int main() {
  auto client = skewguard::Client::from_environment();
  if (!client) {
    std::cerr << skewguard::describe(client.error()) << '\n';
    return 2;
  }
  for (std::string line; std::getline(std::cin, line);) run_order(*client, line);
  return 0;
}
