#include "proxy/token_keeper.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace skewguard::proxy {
namespace {

constexpr std::chrono::seconds kInterval{1};

}  // namespace

void TokenKeeper::stop() {
  stopped_ = true;
  timer_.cancel();
}

void TokenKeeper::look() {
  if (stopped_) return;
  auto& client = service_.client;
  if (client.lease(client.now()) != nullptr) {
    service_.readiness.set("");
    return look_later();
  }
  client.async_token({.verify = false}, [self = shared_from_this()](Result<BearerToken> result) {
    boost::asio::post(self->io_, [self, result = std::move(result)] { self->answered(result); });
  });
}

void TokenKeeper::answered(const Result<BearerToken>& result) {
  if (stopped_) return;
  if (result) {
    service_.readiness.set("");
    if (!told_.empty()) log_.write({LogLevel::warn, "there is a token again"});
    told_.clear();
    return look_later();
  }
  const std::string why_not = describe(result.error());
  service_.readiness.set(why_not);
  if (told_ != why_not) log_.write({LogLevel::error, "serving without a token: " + why_not});
  told_ = why_not;
  look_later();
}

void TokenKeeper::look_later() {
  timer_.expires_after(kInterval);
  timer_.async_wait([self = shared_from_this()](const auto& error) {
    if (!error) self->look();
  });
}

}  // namespace skewguard::proxy
