#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "proxy/service.hpp"

namespace skewguard::proxy {

/// Keeps a token at hand while nobody asks, and says in /readyz and the log whether there is one.
/// For one thread. Held by std::shared_ptr.
class TokenKeeper : public std::enable_shared_from_this<TokenKeeper> {
 public:
  /// All must outlive it.
  TokenKeeper(boost::asio::io_context& io, Service& service, const Log& log)
      : io_(io), service_(service), log_(log), timer_(io) {}

  void start() { look(); }
  void stop();

 private:
  void look();
  void answered(const Result<BearerToken>& result);
  void look_later();

  boost::asio::io_context& io_;
  Service& service_;
  const Log& log_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
  std::string told_;  // why there was no token when that was logged; empty = there was one
};

}  // namespace skewguard::proxy
