// What a program that uses libcurl has without skewguard as well: one request with a token, and its
// answer. The two examples with libcurl share it.
#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "skewguard/client.hpp"

/// One answer as it comes in.
struct Answer {
  const skewguard::Client& client;
  skewguard::Exchange exchange{};
};

// Just before the request goes out. Left out, the time from before connecting would stand for it.
inline int on_request(void* answer, char*, char*, int, int) {
  auto& to = *static_cast<Answer*>(answer);
  to.exchange.sent = to.client.read_clocks();
  return CURL_PREREQFUNC_OK;
}

// One line of the head. A status line begins a new head: what came before was an interim answer.
inline std::size_t on_header(char* text, std::size_t, std::size_t size, void* answer) {
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

inline std::size_t on_body(char* text, std::size_t, std::size_t size, void* answer) {
  static_cast<Answer*>(answer)->exchange.body.append(text, size);
  return size;
}

// Why there is no answer decides whether the request may be sent again.
inline skewguard::TransportFailure::Kind kind_of(CURLcode code) {
  using Kind = skewguard::TransportFailure::Kind;
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

using Curl = std::unique_ptr<CURL, void (*)(CURL*)>;

/// One request, relative to the API's URL.
inline skewguard::SendResult send(CURL* curl, const skewguard::Client& client,
                                  const skewguard::GuardOptions& what,
                                  std::string_view authorization, skewguard::Duration at_most) {
  Answer answer{client};
  const std::string field = "Authorization: " + std::string(authorization);
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      curl_slist_append(nullptr, field.c_str()), curl_slist_free_all);
  const std::string url = client.options().api_url + what.path;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_most);

  curl_easy_reset(curl);  // the connection stays
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, what.method.c_str());
  curl_easy_setopt(curl, CURLOPT_NOBODY, what.method == "HEAD" ? 1L : 0L);
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
  if (code != CURLE_OK)
    return skewguard::TransportFailure{kind_of(code), curl_easy_strerror(code), true};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.exchange.status = static_cast<int>(status);
  return std::move(answer.exchange);
}
