#include "net/tunnel.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <tuple>
#include <utility>

#include "base/strings.hpp"
#include "http/url.hpp"
#include "net/connector.hpp"
#include "net/reason_phrase.hpp"
#include "net/request_head.hpp"

namespace skewguard::net {
namespace {

namespace asio = boost::asio;

std::string status_words(int status) {
  const auto phrase = reason_phrase(status);
  return std::to_string(status) + (phrase.empty() ? "" : " ") + std::string(phrase);
}

/// Whether some field of the challenge begins with "Basic": a look, not a parse, since it decides
/// words alone.
bool takes_basic(const Headers& headers) {
  const auto fields = headers.all("Proxy-Authenticate");
  for (const auto field : fields) {
    if (to_lower(field).find("basic") != std::string::npos) return true;
  }
  return fields.empty();  // it should have said (RFC 9110 section 15.5.8)
}

std::string wanted_credentials(const Headers& headers, bool authorized) {
  if (!takes_basic(headers)) {
    return "the proxy does not accept user and password (Basic), which is all that skewguard can "
           "give";
  }
  return authorized ? "the proxy rejects these credentials"
                    : "the proxy requires credentials: put user:password@ in its URL";
}

}  // namespace

Tunnel::Tunnel(Socket socket, const Proxy& proxy, const http::Url& target)
    : socket_(std::move(socket)),
      proxy_(proxy.place()),
      target_(http::endpoint_text(target.host, target.port)),
      authorized_(!proxy.authorization.empty()),
      head_(connect_head(target_, proxy.authorization)),
      parser_("CONNECT", 0) {}

void Tunnel::start(Handler handler) {
  handler_ = std::move(handler);
  asio::async_write(socket_, asio::buffer(head_.reveal()),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                      self->head_ = Secret();
                      if (!self->handler_) return;
                      // A proxy that refuses early may have answered all the same.
                      std::ignore = error;
                      self->receive();
                    });
}

void Tunnel::cancel() {
  handler_ = nullptr;
  boost::system::error_code ignored;
  std::ignore = socket_.close(ignored);
}

void Tunnel::receive() {
  socket_.async_read_some(
      asio::buffer(buffer_),
      [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
        if (!self->handler_) return;
        if (error == asio::error::eof) {
          return self->refuse(Kind::proxy, self->parser_.begun()
                                               ? "it closed the connection in its answer"
                                               : "it closed the connection without an answer");
        }
        if (error) return self->refuse(Kind::proxy, "the connection broke: " + error.message());
        self->digest(self->parser_.feed({self->buffer_.data(), size}));
      });
}

void Tunnel::digest(AnswerParser::Outcome outcome) {
  if (outcome == AnswerParser::Outcome::more) return receive();
  if (outcome == AnswerParser::Outcome::complete) return answered();
  refuse(Kind::proxy_refused, "its answer is unusable: " + parser_.why());
}

void Tunnel::answered() {
  const bool surplus = parser_.surplus();
  Exchange answer;
  parser_.take(answer);
  const int status = answer.status;
  if (status == 407) {
    return refuse(Kind::proxy_refused,
                  status_words(status) + "; " + wanted_credentials(answer.headers, authorized_));
  }
  if (status == 403)
    return refuse(Kind::proxy_refused, status_words(status) + "; its rules do not let us through");
  if (status >= 500)
    return refuse(Kind::proxy, status_words(status) + "; it could not reach the host");
  if (status == 408 || status == 429) return refuse(Kind::proxy, status_words(status));
  if (status / 100 != 2) return refuse(Kind::proxy_refused, status_words(status));
  // Both TLS and HTTP leave the first word to us: this would be read as the host's.
  if (surplus) {
    return refuse(Kind::proxy_refused,
                  "it sent more than an answer before the host was asked anything");
  }
  finish(std::move(socket_));
}

void Tunnel::refuse(Kind kind, std::string why) {
  TransportFailure failure;
  failure.kind = kind;
  failure.detail = "the proxy " + proxy_ + " did not connect to " + target_ + ": " + std::move(why);
  finish(std::move(failure));
}

void Tunnel::finish(Answer answer) {
  std::exchange(handler_, nullptr)(std::move(answer));
}

}  // namespace skewguard::net
