#include <algorithm>
#include <array>
#include <string_view>

#include "skewguard/testing.hpp"

namespace skewguard::testing {
namespace {

constexpr const char* kLoginUrl = "https://login.test";
constexpr const char* kApiUrl = "https://api.test";

Answer refused() {
  Answer answer;
  answer.status = 401;
  answer.headers.add("WWW-Authenticate", R"(Bearer error="invalid_token")");
  answer.body = R"({"message":"Invalid login credentials.","code":"bad.credentials","status":401})";
  return answer;
}

}  // namespace

/// What the login host has granted: all that the two hosts share.
class TestEnvironment::Tokens {
 public:
  using Text = std::function<std::string(const Grant&)>;

  Answer grant(WallTime login_clock) {
    Grant grant;
    grant.begins = std::chrono::floor<std::chrono::seconds>(login_clock);
    std::shared_ptr<Text> text;
    {
      const std::lock_guard lock(mutex_);
      grant.number = ++count_;
      grant.ends = grant.begins + lifetime_;
      text = text_;
    }
    const std::string token = text ? (*text)(grant) : "token-" + std::to_string(grant.number);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(grant.ends - grant.begins);
    const std::lock_guard lock(mutex_);
    live_["Bearer " + token] = grant;
    Answer answer;
    answer.body = R"({"access_token":")" + token + R"(","token_type":"bearer","expires_in":)" +
                  std::to_string(seconds.count()) + "}";
    return answer;
  }
  bool good(std::string_view authorization, WallTime api_clock) const {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(authorization);
    return found != live_.end() && found->second.begins <= api_clock &&
           api_clock < found->second.ends;
  }
  void set_lifetime(Duration lifetime) {
    const std::lock_guard lock(mutex_);
    lifetime_ = lifetime;
  }
  void set_text(Text text) {
    const std::lock_guard lock(mutex_);
    text_ = text ? std::make_shared<Text>(std::move(text)) : nullptr;
  }
  void revoke_all() {
    const std::lock_guard lock(mutex_);
    live_.clear();
  }

 private:
  mutable std::mutex mutex_;
  Duration lifetime_ = std::chrono::hours{1};
  std::shared_ptr<Text> text_;  // shared: it runs without the lock
  std::size_t count_ = 0;
  std::map<std::string, Grant, std::less<>> live_;  // by the value of Authorization
};

TestEnvironment::TestEnvironment()
    : machine_(std::make_shared<FakeMachine>()),
      tokens_(std::make_shared<Tokens>()),
      login_(std::make_shared<Host>(machine_, kLoginUrl,
                                    [tokens = tokens_](const Asked& asked) {
                                      return asked.request.method == "POST"
                                                 ? tokens->grant(asked.at)
                                                 : Answer{};
                                    })),
      api_(std::make_shared<Host>(machine_, kApiUrl, [tokens = tokens_](const Asked& asked) {
        const auto authorization = asked.request.authorization.reveal();
        return tokens->good(authorization, asked.at) ? Answer{.body = "{}"} : refused();
      })) {}
TestEnvironment::~TestEnvironment() = default;

ClientOptions TestEnvironment::options() const {
  ClientOptions options;
  options.login_url = kLoginUrl;
  options.api_url = kApiUrl;
  options.dialect = DialectName::rfc6749;
  options.client_id = "test";
  options.client_secrets = {Secret{"test-secret"}};
  return options;
}

Dependencies TestEnvironment::dependencies() const {
  Dependencies dependencies;
  dependencies.executor = machine_;
  dependencies.clock = machine_;
  dependencies.disruptions = machine_;
  dependencies.transport = [machine = machine_, login = login_, api = api_](Executor& loop) {
    return std::make_unique<ScriptedTransport>(loop, machine, std::vector{login, api});
  };
  return dependencies;
}

void TestEnvironment::set_lifetime(Duration lifetime) {
  tokens_->set_lifetime(lifetime);
}
void TestEnvironment::set_tokens(std::function<std::string(const Grant&)> text) {
  tokens_->set_text(std::move(text));
}
void TestEnvironment::revoke_all() {
  tokens_->revoke_all();
}

std::size_t TestEnvironment::token_requests() const {
  const auto asked = login_->asked();
  return static_cast<std::size_t>(std::ranges::count(
      asked, "POST", [](const Asked& each) -> const auto& { return each.request.method; }));
}
std::size_t TestEnvironment::requests() const {
  const auto asked = api_->asked();
  return static_cast<std::size_t>(std::ranges::count_if(asked, &Asked::authorized));
}
std::size_t TestEnvironment::refused_requests() const {
  const auto asked = api_->asked();
  return static_cast<std::size_t>(std::ranges::count_if(
      asked, [](const Asked& each) { return each.authorized() && each.status == 401; }));
}

SendResult TestEnvironment::send(const Bearer& bearer, std::string method,
                                 const std::string& path) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = kApiUrl + path;
  request.authorization = Secret{std::string_view(bearer.authorization)};
  return api_->send(request, bearer.deadline);
}

}  // namespace skewguard::testing
