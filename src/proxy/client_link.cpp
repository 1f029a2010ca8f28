#include "proxy/client_link.hpp"

#include <string_view>
#include <tuple>
#include <utility>

namespace skewguard::proxy {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

ClientLink::Moved meaning_of(const error_code& error) {
  using Moved = ClientLink::Moved;
  if (!error) return Moved::some;
  if (error == asio::error::would_block || error == asio::error::try_again) return Moved::nothing;
  return error == asio::error::eof ? Moved::end : Moved::failed;
}

}  // namespace

/// Where it cannot be made non-blocking it has failed, which the first read tells.
ClientLink::ClientLink(ClientSocket socket) : socket_(std::move(socket)) {
  error_code failed;
  std::ignore = socket_.non_blocking(true, failed);
  if (failed) close();
}

ClientLink::Moved ClientLink::read(relay::Buffer& into) {
  const std::string_view first(first_.data(), std::exchange(arrived_, 0));
  if (first.empty()) return meaning_of(error_);
  std::ignore = into.append({first});
  if (first.size() < first_.size() || into.room() == 0) return Moved::some;
  const auto space = into.space();
  error_code later;  // the next read meets it again
  into.added(socket_.read_some(asio::buffer(space.data(), space.size()), later));
  return Moved::some;
}

ClientLink::Moved ClientLink::write(relay::Buffer& from) {
  const auto bytes = from.bytes();
  error_code error;
  from.remove(socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error));
  return meaning_of(error);
}

ClientLink::Moved ClientLink::drop() {
  std::array<char, std::size_t{4} * 1024> dropped;
  dropped_ += std::exchange(arrived_, 0);
  error_code error = std::exchange(error_, {});
  while (!error && dropped_ < kMaxDropped)
    dropped_ += socket_.read_some(asio::buffer(dropped), error);
  return error ? meaning_of(error) : Moved::failed;
}

void ClientLink::finish() {
  error_code ignored;
  std::ignore = socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void ClientLink::close() {
  error_code ignored;
  std::ignore = socket_.close(ignored);
}

void ClientLink::reset() {
  error_code ignored;
  std::ignore = socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

}  // namespace skewguard::proxy
