#include "proxy/upstream.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>

namespace skewguard::proxy {
namespace {

Upstream::Came meaning_of(const boost::system::error_code& error) {
  if (!error) return Upstream::Came::some;
  return error == boost::asio::error::eof ? Upstream::Came::end : Upstream::Came::failure;
}

}  // namespace

void Upstream::begin(User& user) {
  user_ = &user;
  ++requests_;
  sent_ = received_ = {};
  some_sent_ = early_ = false;
}

void Upstream::write(relay::Buffer& from) {
  const auto bytes = from.bytes().substr(0, out_.size());
  std::ranges::copy(bytes, out_.begin());
  from.remove(bytes.size());
  writing_ = true;
  connection_.stream->write(
      {out_.data(), bytes.size()}, "",
      [this](const auto& error, std::size_t size) {
        writing_ = false;
        some_sent_ = some_sent_ || size > 0;
        user_->upstream_wrote(static_cast<bool>(error));
      },
      [this] {
        if (sent_.boot == Instant{}) sent_ = clocks_.now();
      });
}

void Upstream::read(std::size_t most) {
  reading_ = true;
  connection_.stream->read_some({in_.data(), std::min(most, in_.size())},
                                [this](const auto& error, std::size_t size) {
                                  reading_ = false;
                                  arrived_ = size;
                                  if (received_.boot == Instant{}) {
                                    received_ = clocks_.now();
                                    early_ = sent_.boot == Instant{};
                                  }
                                  user_->upstream_read(meaning_of(error));
                                });
}

}  // namespace skewguard::proxy
