// ask_ntp COUNT HOST:PORT...: asks each NTP server COUNT times, all at once, and prints one JSON
// object: of each server its interval and that of the truth, in seconds from the local wall clock,
// and the falsetickers. Driven by test_sntp.py.
#include <boost/asio/io_context.hpp>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "clocks/agreement.hpp"
#include "net/sntp_client.hpp"
#include "system/system_clocks.hpp"

namespace {

using namespace skewguard;

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string text(const OffsetBound& bound) {
  std::ostringstream out;
  out << std::setprecision(12) << "[" << seconds(bound.low) << ", " << seconds(bound.high) << "]";
  return out.str();
}

struct Asked {
  std::string name;
  int left = 0;
  clocks::SntpServer known{};
  std::string failure{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  boost::asio::io_context io;
  system::SystemClocks clock;
  net::SntpClient client(io, clock);
  std::vector<Asked> servers;
  for (int i = 2; i < argc; ++i) servers.push_back({argv[i], std::stoi(argv[1])});

  const std::function<void(Asked&)> ask = [&](Asked& server) {
    const Instant deadline = clock.boot_now() + std::chrono::seconds{5};
    client.ask(server.name, deadline, [&](const net::SntpResult& result) {
      if (const auto* failure = std::get_if<net::SntpFailure>(&result)) {
        server.failure = failure->detail;
        return;
      }
      (void)server.known.observe(std::get<net::SntpAnswer>(result).sample);
      if (--server.left > 0) ask(server);
    });
  };
  for (Asked& server : servers) ask(server);
  io.run();

  const Now now = clock.now();
  std::vector<clocks::Source> sources;
  std::cout << R"({"servers": [)";
  for (const Asked& server : servers) {
    const auto bound = server.known.server(now);
    std::cout << (&server == &servers.front() ? "" : ", ") << R"({"host": ")" << server.name
              << R"(", "failure": ")" << server.failure << '"';
    if (bound) {
      std::cout << R"(, "server": )" << text(*bound) << R"(, "truth": )"
                << text(*server.known.truth(now));
      sources.push_back({server.name, *bound, server.name});
    }
    std::cout << "}";
  }
  const auto agreement = clocks::agree(sources, std::chrono::milliseconds{10});
  std::cout << R"(], "agreed": )" << (agreement.agreed ? text(*agreement.agreed) : "null")
            << R"(, "falsetickers": [)";
  for (const std::size_t i : agreement.falsetickers) {
    std::cout << (i == agreement.falsetickers.front() ? "\"" : ", \"") << sources[i].name << '"';
  }
  std::cout << "]}\n";
}
