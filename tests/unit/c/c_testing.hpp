#pragma once

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "c/answer.hpp"
#include "c/client.hpp"
#include "skewguard/skewguard.h"
#include "skewguard/testing.hpp"
#include "time/http_date.hpp"

/// What the tests of the C functions share: handles that free themselves, and a client on virtual
/// time.
namespace skewguard::c {

using namespace std::chrono_literals;
using skewguard::testing::FakeMachine;

template <auto free_it>
struct Freer {
  template <typename T>
  void operator()(T* handle) const noexcept {
    free_it(handle);
  }
};
using CClient = std::unique_ptr<skewguard_client, Freer<skewguard_client_free>>;
using CCall = std::unique_ptr<skewguard_call, Freer<skewguard_call_free>>;
using CQueue = std::unique_ptr<skewguard_queue, Freer<skewguard_queue_free>>;
using CError = std::unique_ptr<skewguard_error, Freer<skewguard_error_free>>;

/// Where a function puts its error; freed with it.
class ErrorPlace {
 public:
  ErrorPlace() = default;
  ~ErrorPlace() { skewguard_error_free(error_); }
  ErrorPlace(const ErrorPlace&) = delete;
  ErrorPlace& operator=(const ErrorPlace&) = delete;
  skewguard_error** operator&() noexcept { return &error_; }  // NOLINT: as a plain pointer has it
  [[nodiscard]] const skewguard_error* get() const noexcept { return error_; }
  [[nodiscard]] int kind() const { return skewguard_error_kind_of(error_); }
  [[nodiscard]] std::string text(int which = SKEWGUARD_ERROR_DESCRIPTION) const {
    return skewguard_error_text_of(error_, which);
  }

 private:
  skewguard_error* error_ = nullptr;
};

/// An answer of the API as a program's HTTP stack would hand it in.
class OwnAnswer {
 public:
  OwnAnswer(int status, std::string date, std::string body = {})
      : date_(std::move(date)), body_(std::move(body)) {
    answer_.size = sizeof answer_;
    answer_.status = status;
    if (!date_.empty()) add("Date", date_);
    if (status == 401) add("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  }
  OwnAnswer(const OwnAnswer&) = delete;
  OwnAnswer& operator=(const OwnAnswer&) = delete;

  /// Both live as long as this.
  void add(std::string_view name, std::string_view value) {
    fields_.push_back({name.data(), name.size(), value.data(), value.size()});
  }
  skewguard_answer& operator*() noexcept { return answer_; }
  const skewguard_answer* get() {
    answer_.fields = fields_.data();
    answer_.field_count = fields_.size();
    answer_.body = body_.data();
    answer_.body_size = body_.size();
    return &answer_;
  }

 private:
  std::string date_, body_;
  std::vector<skewguard_field> fields_;
  skewguard_answer answer_{};
};

/// A client of these hosts in memory. Its warnings are kept, as those of skewguard_client_new()
/// are.
inline CClient client_of(const testing::TestEnvironment& environment, Dependencies dependencies) {
  ClientOptions options = environment.options();
  options.dialect = DialectName::genesys;
  auto clock = dependencies.clock;
  const EventQueue events({.rejections = false, .resolved = false, .level = LogLevel::warn});
  auto made = Client::make(std::move(options), events.hooks(), std::move(dependencies));
  if (!made) std::abort();
  return CClient(
      std::make_unique<skewguard_client>(*std::move(made), std::move(clock), events).release());
}

/// A client whose loop runs when the test lets it.
struct VirtualClient {
  VirtualClient() : client(client_of(environment, environment.dependencies())) {}

  FakeMachine& machine() noexcept { return environment.machine(); }
  /// What the API's clock shows.
  [[nodiscard]] std::string date() {
    return time::format_http_date(
        std::chrono::floor<std::chrono::seconds>(environment.api().now().time_since_epoch()));
  }
  [[nodiscard]] CCall guard(const char* method = "GET", int flags = 0,
                            skewguard_queue* queue = nullptr, std::uint64_t tag = 0) {
    return CCall(skewguard_guard_begin(client.get(), method, "/x", flags, -1, queue, tag, nullptr));
  }
  /// Runs the loop until there is something to do for the program.
  int next(const CCall& call) {
    machine().run_until([&] { return skewguard_call_next(call.get(), 0) != SKEWGUARD_WAITING; });
    return skewguard_call_next(call.get(), 0);
  }
  int answer(const CCall& call, int status, std::string body = {}) {
    OwnAnswer answer(status, date(), std::move(body));
    return skewguard_call_answer(call.get(), answer.get(), nullptr);
  }
  /// The API accepts the client's token.
  void accept_token() {
    const auto call = guard();
    next(call);
    answer(call, 200);
    next(call);
  }
  /// The lease; empty if there is none.
  [[nodiscard]] std::string lease(std::uint64_t* generation = nullptr) {
    std::string text(200, '\0');
    text.resize(skewguard_lease(client.get(), text.data(), text.size(), generation));
    return text;
  }

  testing::TestEnvironment environment;
  CClient client;
};

inline std::string bytes(const CCall& call, int which) {
  std::size_t size = 0;
  const char* found = skewguard_call_bytes(call.get(), which, &size);
  return found == nullptr ? std::string() : std::string(found, size);
}

}  // namespace skewguard::c
