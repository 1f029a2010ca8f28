// Sends requests with leased tokens: a worker with an HTTP stack of its own, which asks nobody
// while its token is good. Each of several workers has a reader and a handle of libcurl for itself.
//
//   lease_with_libcurl METHOD PATH [METHOD PATH]...
//
// Prints the status of each request. Settings come from the environment (docs/guide/settings.md).
#include <chrono>
#include <cstdint>
#include <iostream>
#include <utility>
#include <variant>

#include "libcurl_stack.hpp"
#include "skewguard/client.hpp"

namespace {

using skewguard::Bearer;
using skewguard::Client;
using skewguard::Exchange;
using skewguard::FirstAnswer;
using skewguard::GuardOptions;
using skewguard::Lease;
using skewguard::LeaseReader;
using skewguard::Observed;
using skewguard::Result;
using skewguard::TransportFailure;

constexpr std::chrono::seconds kAtMost{30};  // for one send

/// The status of one request.
Result<int> request(Client& client, LeaseReader& reader, CURL* curl, GuardOptions what) {
  const Lease* lease = reader.lease(client.now());
  while (lease == nullptr) {  // no token that may be sent now
    if (const auto waited = client.await_lease(); !waited) return waited.error();
    lease = reader.lease(client.now());
  }
  const std::uint64_t generation = lease->generation;
  auto sent = send(curl, client, what, lease->authorization, kAtMost);
  if (const auto* failure = std::get_if<TransportFailure>(&sent))
    return skewguard::Error{skewguard::ErrorKind::unavailable, failure->detail, "try again"};

  auto& answer = std::get<Exchange>(sent);
  if (client.observe(generation, answer) == Observed::noted) return answer.status;  // nearly always
  // It may be about the token: a guarded call begins with it, and sends again if that may help.
  what.first = FirstAnswer{generation, std::move(answer)};
  const auto response = client.guard(
      [&](const Bearer& bearer) {
        return send(curl, client, what, bearer.authorization, bearer.deadline - client.now());
      },
      what);
  if (!response) return response.error();
  return response->status;
}

}  // namespace

int main(int argc, char** argv) {
  auto client = Client::from_environment();
  if (!client) {
    std::cerr << skewguard::describe(client.error()) << '\n';
    return 2;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const Curl curl(curl_easy_init(), curl_easy_cleanup);
  LeaseReader reader = client->reader();
  int failed = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    GuardOptions what;
    what.method = argv[i];
    what.path = argv[i + 1];
    const auto status = request(*client, reader, curl.get(), std::move(what));
    if (status) {
      std::cout << *status << '\n';
    } else {
      std::cerr << skewguard::describe(status.error()) << '\n';
      ++failed;
    }
  }
  return failed == 0 ? 0 : 1;
}
