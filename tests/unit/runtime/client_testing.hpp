#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sharing/record.hpp"
#include "skewguard/testing.hpp"
#include "skewguard/token_store.hpp"
#include "store/record_text.hpp"
#include "time/http_date.hpp"

/// What the tests of the client's API share.
namespace skewguard::runtime {

using namespace std::chrono_literals;
using skewguard::testing::Answer;
using skewguard::testing::Asked;
using skewguard::testing::FakeMachine;
using skewguard::testing::Host;

/// Hosts in memory that any loop reaches without delay. Tokens live for 300 s.
class MemoryEnvironment : public skewguard::testing::TestEnvironment {
 public:
  MemoryEnvironment() {
    set_lifetime(300s);
    for (Host* host : {&login(), &api()}) host->set_delays(0s, 0s);
  }
  [[nodiscard]] ClientOptions options() const {
    ClientOptions options = TestEnvironment::options();
    options.dialect = DialectName::genesys;
    return options;
  }
  /// For a client on a loop other than the machine's.
  [[nodiscard]] Dependencies clocks_and_hosts() const {
    Dependencies dependencies = TestEnvironment::dependencies();
    dependencies.executor.reset();
    return dependencies;
  }
};

/// A store whose record a test can read and change, as other processes would.
class OpenStore final : public TokenStore {
 public:
  std::optional<sharing::Record> record;

  /// After a change of `record`.
  void changed() { ++version_; }
  void read(const std::string& key, ReadHandler handler) override { handler(now(key)); }
  void swap(const std::string& key, std::optional<std::string> expected, Secret text,
            SwapHandler handler) override {
    const bool fits = record ? expected == std::to_string(version_) : !expected;
    if (fits) {
      record = store::record_of(key, text.reveal());
      changed();
    }
    handler(Swapped{fits, now(key)});
  }

 private:
  [[nodiscard]] std::optional<Value> now(const std::string& key) const {
    if (!record) return std::nullopt;
    return Value{store::to_text(key, *record).value(), std::to_string(version_)};
  }
  int version_ = 0;
};

inline void silence(Host& host) {
  host.set_script([](const Asked&) { return Answer{.never = true}; });
}

inline Exchange answer(int status, std::string body, FakeMachine& machine) {
  Exchange exchange;
  exchange.status = status;
  exchange.headers.add("Date", time::format_http_date(std::chrono::floor<std::chrono::seconds>(
                                   machine.true_time().time_since_epoch())));
  exchange.body = std::move(body);
  exchange.sent = exchange.received = machine.now();
  return exchange;
}
inline Exchange refusal(FakeMachine& machine) {
  return answer(401, R"({"message":"Invalid login credentials.","code":"bad.credentials"})",
                machine);
}
inline TransportFailure broken() {
  return {TransportFailure::Kind::reset, "it broke", true};
}

/// Records how often a handler is called, and with what.
template <typename T>
struct Recorder {
  std::function<void(Result<T>)> handler() const {
    return [results = results](Result<T> result) { results->push_back(std::move(result)); };
  }
  [[nodiscard]] std::size_t times() const { return results->size(); }
  [[nodiscard]] const Result<T>& last() const { return results->back(); }
  /// Whether the handler was called once, with this error.
  [[nodiscard]] bool once(ErrorKind kind) const {
    return times() == 1 && !last() && last().error().kind == kind;
  }
  [[nodiscard]] bool once_ok() const { return times() == 1 && last(); }

  std::shared_ptr<std::vector<Result<T>>> results = std::make_shared<std::vector<Result<T>>>();
};

inline Request get(std::string path = "/api/v2/x") {
  Request request;
  request.path = std::move(path);
  return request;
}
inline GuardOptions guarded(std::string method) {
  GuardOptions options;
  options.method = std::move(method);
  return options;
}

}  // namespace skewguard::runtime
