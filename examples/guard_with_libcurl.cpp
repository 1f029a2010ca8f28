// Guards calls that libcurl sends: a blocking program with an HTTP stack of its own.
//
//   guard_with_libcurl METHOD PATH [METHOD PATH]...
//
// Prints the status of each call. Settings come from the environment (docs/guide/settings.md).
#include <iostream>

#include "libcurl_stack.hpp"
#include "skewguard/client.hpp"

int main(int argc, char** argv) {
  auto client = skewguard::Client::from_environment();
  if (!client) {
    std::cerr << skewguard::describe(client.error()) << '\n';
    return 2;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const Curl curl(curl_easy_init(), curl_easy_cleanup);
  int failed = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    skewguard::GuardOptions options;
    options.method = argv[i];
    options.path = argv[i + 1];
    // skewguard says with which token to send, and when; it reads the answer and asks again.
    const auto response = client->guard(
        [&](const skewguard::Bearer& bearer) {
          return send(curl.get(), *client, options, bearer.authorization,
                      bearer.deadline - client->now());
        },
        options);
    if (response) {
      std::cout << response->status << '\n';
    } else {
      std::cerr << skewguard::describe(response.error()) << '\n';
      ++failed;
    }
  }
  return failed == 0 ? 0 : 1;
}
