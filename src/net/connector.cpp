#include "net/connector.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <tuple>
#include <utility>
#include "http/url.hpp"
#include "net/open_socket.hpp"

namespace skewguard::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Kind = TransportFailure::Kind;

Kind connect_kind(const boost::system::error_code& error) noexcept {
  return error == asio::error::connection_refused ? Kind::refused : Kind::unreachable;
}

bool out_of_resources(const boost::system::error_code& error) noexcept {
  namespace errc = boost::system::errc;
  return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::no_buffer_space || error == errc::not_enough_memory;
}

void Connector::start(std::vector<std::string> addresses, std::uint16_t port, Handler handler) {
  addresses_ = std::move(addresses);
  port_ = port;
  handler_ = std::move(handler);
  attempt_next();
}

void Connector::cancel() {
  handler_ = nullptr;
  timer_->disarm();
  // Each attempt's handler holds its socket too: only closing it ends the attempt and frees the
  // loop.
  for (const auto& socket : std::exchange(under_way_, {})) {
    boost::system::error_code ignored;
    std::ignore = socket->close(ignored);
  }
}

void Connector::attempt_next() {
  timer_->disarm();
  attempt(addresses_[next_++]);
  if (next_ == addresses_.size()) return;
  timer_->arm(kAttemptDelay, [this, weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && handler_) attempt_next();
  });
}

void Connector::attempt(const std::string& address) {
  auto socket = std::make_shared<Socket>(io_.executor);
  under_way_.push_back(socket);
  boost::system::error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(address, error), port_);
  if (!error) open_socket(*socket, endpoint.protocol(), error);
  if (!error) std::ignore = socket->set_option(tcp::no_delay(true), error);
  auto done = [self = shared_from_this(), socket, address](boost::system::error_code result) {
    if (self->handler_) self->ended(socket, address, result);
  };
  if (error) {
    asio::post(io_.executor, [done = std::move(done), error] { done(error); });
    return;
  }
  socket->async_connect(endpoint, std::move(done));
}

void Connector::ended(const std::shared_ptr<Socket>& socket, const std::string& address,
                      const boost::system::error_code& error) {
  std::erase(under_way_, socket);
  if (!error) return finish(std::move(*socket));
  if (connect_kind(error) == Kind::refused) failure_.kind = Kind::refused;
  failure_.out_of_resources = failure_.out_of_resources || out_of_resources(error);
  failure_.detail += (failure_.detail.empty() ? "" : "; ") + http::endpoint_text(address, port_) +
                     ": " + error.message();
  if (next_ < addresses_.size()) return attempt_next();
  if (under_way_.empty()) finish(failure_);
}

void Connector::finish(Answer answer) {
  const auto handler = std::exchange(handler_, nullptr);
  cancel();
  handler(std::move(answer));
}

}  // namespace skewguard::net
