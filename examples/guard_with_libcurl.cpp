// Guards calls that libcurl sends: a blocking program with an HTTP stack of its own.
//
//   guard_with_libcurl METHOD PATH [METHOD PATH]...
//
// Prints the status of each call. Settings come from the environment (docs/guide/settings.md).
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "skewguard/client.hpp"

namespace {

using skewguard::Bearer;
using skewguard::Client;
using skewguard::Exchange;
using skewguard::SendResult;
using skewguard::TransportFailure;

/// One answer as it comes in.
struct Answer {
  const Client& client;
  Exchange exchange{};
};

// Just before the request goes out. Left out, the time from before connecting would stand for it.
int on_request(void* answer, char*, char*, int, int) {
  auto& to = *static_cast<Answer*>(answer);
  to.exchange.sent = to.client.read_clocks();
  return CURL_PREREQFUNC_OK;
}

// One line of the head. A status line begins a new head: what came before was an interim answer.
std::size_t on_header(char* text, std::size_t, std::size_t size, void* answer) {
  auto& to = *static_cast<Answer*>(answer);
  std::string_view line(text, size);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    to.exchange.headers = {};
    to.exchange.received = to.client.read_clocks();
  }
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    const auto value = line.find_first_not_of(" \t", colon + 1);
    to.exchange.headers.add(std::string(line.substr(0, colon)),
                            std::string(line.substr(std::min(value, line.size()))));
  }
  return size;
}

std::size_t on_body(char* text, std::size_t, std::size_t size, void* answer) {
  static_cast<Answer*>(answer)->exchange.body.append(text, size);
  return size;
}

// Why there is no answer decides whether the request may be sent again.
TransportFailure::Kind kind_of(CURLcode code) {
  using Kind = TransportFailure::Kind;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return Kind::dns;
    case CURLE_COULDNT_CONNECT:
      return Kind::refused;
    case CURLE_OPERATION_TIMEDOUT:
      return Kind::timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
      return Kind::tls_untrusted;
    case CURLE_SSL_CONNECT_ERROR:
      return Kind::tls_failed;
    case CURLE_PARTIAL_FILE:
      return Kind::truncated;
    default:
      return Kind::reset;
  }
}

/// What a program without skewguard has as well: one request with a token, one answer.
SendResult send(CURL* curl, const Client& client, const std::string& method, const std::string& url,
                const Bearer& bearer) {
  Answer answer{client};
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      curl_slist_append(nullptr, ("Authorization: " + bearer.authorization).c_str()),
      curl_slist_free_all);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(bearer.deadline - client.now());

  curl_easy_reset(curl);  // the connection stays
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_NOBODY, method == "HEAD" ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, std::max<long>(left.count(), 1));
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_request);
  curl_easy_setopt(curl, CURLOPT_PREREQDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);

  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) return TransportFailure{kind_of(code), curl_easy_strerror(code), true};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.exchange.status = static_cast<int>(status);
  return std::move(answer.exchange);
}

}  // namespace

int main(int argc, char** argv) {
  auto client = Client::from_environment();
  if (!client) {
    std::cerr << skewguard::describe(client.error()) << '\n';
    return 2;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  int failed = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    skewguard::GuardOptions options;
    options.method = argv[i];
    options.path = argv[i + 1];
    const std::string url = client->options().api_url + options.path;
    // skewguard says with which token to send, and when; it reads the answer and asks again.
    const auto response = client->guard(
        [&](const Bearer& bearer) {
          return send(curl.get(), *client, options.method, url, bearer);
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
