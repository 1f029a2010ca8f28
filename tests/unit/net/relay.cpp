#include "relay.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <tuple>
#include <utility>

namespace skewguard::net::testing_server {
namespace {

using Tcp = boost::asio::ip::tcp;
using Code = boost::system::error_code;

class Carrier : public std::enable_shared_from_this<Carrier> {
 public:
  Carrier(Tcp::socket socket, std::shared_ptr<std::vector<std::string>> heads)
      : near_{std::move(socket), {}},
        far_{Tcp::socket(near_.socket.get_executor()), {}},
        heads_(std::move(heads)) {}

  void read_head() {
    near_.socket.async_read_some(boost::asio::buffer(near_.bytes),
                                 [self = shared_from_this()](Code error, std::size_t n) {
                                   if (error) return;
                                   self->head_.append(self->near_.bytes.data(), n);
                                   if (self->head_.find("\r\n\r\n") == std::string::npos)
                                     return self->read_head();
                                   self->connect();
                                 });
  }

  void stop() {
    Code ignored;
    std::ignore = near_.socket.close(ignored);
    std::ignore = far_.socket.close(ignored);
  }

 private:
  struct Side {
    Tcp::socket socket;
    std::array<char, 4096> bytes{};
  };

  void connect() {
    heads_->push_back(head_);
    const auto end = head_.find(' ', 8);
    const auto port = std::stoul(head_.substr(head_.rfind(':', end) + 1));
    far_.socket.async_connect(
        Tcp::endpoint(boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)),
        [self = shared_from_this()](Code error) {
          if (error) return self->stop();
          boost::asio::write(self->near_.socket,
                             boost::asio::buffer(std::string("HTTP/1.1 200 Tunnel\r\n\r\n")));
          self->carry(self->near_, self->far_);
          self->carry(self->far_, self->near_);
        });
  }

  void carry(Side& from, Side& to) {
    from.socket.async_read_some(boost::asio::buffer(from.bytes), [self = shared_from_this(), &from,
                                                                  &to](Code error, std::size_t n) {
      if (error) return self->stop();
      boost::asio::async_write(to.socket, boost::asio::buffer(from.bytes.data(), n),
                               [self, &from, &to](Code failed, std::size_t) {
                                 failed ? self->stop() : self->carry(from, to);
                               });
    });
  }

  Side near_;
  Side far_;
  std::string head_;
  std::shared_ptr<std::vector<std::string>> heads_;
};

}  // namespace

struct Relay::Impl : std::enable_shared_from_this<Impl> {
  explicit Impl(boost::asio::io_context& io)
      : acceptor(io, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {}

  void accept() {
    acceptor.async_accept([self = shared_from_this()](Code error, Tcp::socket socket) {
      if (error) return;
      self->carriers.push_back(std::make_shared<Carrier>(std::move(socket), self->heads));
      self->carriers.back()->read_head();
      self->accept();
    });
  }

  Tcp::acceptor acceptor;
  std::shared_ptr<std::vector<std::string>> heads = std::make_shared<std::vector<std::string>>();
  std::vector<std::shared_ptr<Carrier>> carriers;
};

Relay::Relay(boost::asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {
  impl_->accept();
}
Relay::~Relay() {
  Code ignored;
  std::ignore = impl_->acceptor.close(ignored);
  for (const auto& carrier : impl_->carriers) carrier->stop();
}
std::uint16_t Relay::port() const {
  return impl_->acceptor.local_endpoint().port();
}
const std::vector<std::string>& Relay::heads() const {
  return *impl_->heads;
}

}  // namespace skewguard::net::testing_server
