#include "demo/naive_client.hpp"

#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include "http/url.hpp"
#include "net/asio_transport.hpp"
#include "oauth/grant.hpp"
#include "oauth/jwt_peek.hpp"
#include "oauth/token.hpp"
#include "oauth/token_answer.hpp"
#include "oauth/token_request.hpp"
#include "runtime/io_loop.hpp"
#include "time/duration_text.hpp"

namespace skewguard::demo {
namespace {

constexpr Duration kTimeout = std::chrono::seconds{30};  // of one request

}  // namespace

class NaiveClient::Impl {
 public:
  Impl(Options options, std::shared_ptr<ClockSource> clock, std::function<void(std::string)> say)
      : options_(std::move(options)),
        clock_(std::move(clock)),
        say_(std::move(say)),
        loop_(clock_),
        transport_(
            std::make_unique<net::AsioTransport>(loop_.context(), *clock_, net::TlsOptions{})) {}
  ~Impl() {
    std::promise<void> ended;
    loop_.post([this, &ended] {
      transport_.reset();
      ended.set_value();
    });
    ended.get_future().wait();
    loop_.stop();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int get(const std::string& path) {
    auto held = current();
    if (!held || clock_->now().wall >= held->expires) held = refresh();
    if (!held) return 0;
    int status = ask(path, held->token);
    if (status != 401) return status;
    const Duration left = held->expires - clock_->now().wall;
    if (left > Duration{0}) {
      say_("401, but the token is valid for another " + time::human(left) +
           ": clock skew detected, refreshing");
    } else {
      say_("401: the token has expired, refreshing");
    }
    held = refresh();
    if (!held) return 0;
    status = ask(path, held->token);
    if (status == 401) say_("401 again: giving up");
    return status;
  }

 private:
  struct Held {
    Secret token;
    WallTime expires{};
  };

  std::optional<Held> current() {
    const std::lock_guard lock(mutex_);
    return held_;
  }

  std::optional<Exchange> send(HttpRequest request) {
    std::promise<SendResult> answered;
    auto answer = answered.get_future();
    const Instant deadline = clock_->now().boot + kTimeout;
    loop_.post([this, &answered, deadline, request = std::move(request)] {
      transport_->send(request, SendOptions{deadline},
                       [&answered](SendResult result) { answered.set_value(std::move(result)); });
    });
    auto result = answer.get();
    if (auto* exchange = std::get_if<Exchange>(&result)) return std::move(*exchange);
    return std::nullopt;
  }

  int ask(const std::string& path, const Secret& token) {
    HttpRequest request;
    request.url = http::join_url(options_.api_url, path);
    request.authorization = oauth::bearer_authorization(token);
    const auto answer = send(std::move(request));
    return answer ? answer->status : 0;
  }

  std::optional<Held> refresh() {
    const oauth::ClientCredentials grant(options_.client_id, options_.client_secret);
    const auto answer = send(oauth::token_request(
        grant, http::join_url(options_.login_url, "/oauth/token"), oauth::BasicForm::raw));
    const auto token = answer && answer->status == 200 ? oauth::token_answer(*answer)
                                                       : Result<oauth::TokenAnswer>(Error{});
    if (!token) {
      say_("cannot get a token (" + (answer ? std::to_string(answer->status) : "no answer") + ")");
      return std::nullopt;
    }
    const auto claims = oauth::peek_jwt(token->access_token.reveal());
    const WallTime expires =
        claims && claims->exp
            ? WallTime{*claims->exp}
            : clock_->now().wall + token->expires_in.value_or(std::chrono::minutes{5});
    const std::lock_guard lock(mutex_);
    held_ = Held{token->access_token, expires};
    return held_;
  }

  Options options_;
  std::shared_ptr<ClockSource> clock_;
  std::function<void(std::string)> say_;
  std::mutex mutex_;  // over held_
  std::optional<Held> held_;
  runtime::IoLoop loop_;
  std::unique_ptr<Transport> transport_;
};

NaiveClient::NaiveClient(Options options, std::shared_ptr<ClockSource> clock,
                         std::function<void(std::string)> say)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(clock), std::move(say))) {}
NaiveClient::~NaiveClient() = default;

int NaiveClient::get(const std::string& path) {
  return impl_->get(path);
}

}  // namespace skewguard::demo
