#include "proxy/upstream.hpp"

#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "net/stream.hpp"

namespace skewguard::proxy {
namespace {

using Step = net::TlsEngine::Step;

/// What is encrypted at once: a TLS record's content.
constexpr std::size_t kRecord = std::size_t{16} * 1024;
/// A server that asks for replies and takes none is not listened to meanwhile.
constexpr std::size_t kMaxOut = 2 * kRecord;
/// The most that a server may send between two pieces of content: tickets, key updates.
constexpr std::size_t kMaxWithoutContent = std::size_t{32} * 1024;

}  // namespace

Upstream::Upstream(EventLoop& loop, Dialed dialed, ClockSource& clocks)
    : socket_(loop, std::move(dialed.socket), *this),
      tls_(std::move(dialed.tls)),
      clocks_(clocks),
      id_(dialed.id) {}

/// The server learns that the connection was not cut, if there is room for that. Of a request that
/// was given up nothing more is sent: it may be under way on another connection by now.
Upstream::~Upstream() {
  if (!tls_ || !out_.empty()) return;
  tls_->close();
  flush();
}

void Upstream::begin(User& user) {
  user_ = &user;
  ++requests_;
  sent_ = {};
  received_ = {};
  some_sent_ = early_ = false;
}

void Upstream::socket_ready() {
  if (user_ != nullptr) user_->socket_ready();
}

bool Upstream::at_rest() {
  if (!tls_) return !socket_.unread();
  if (!out_.empty()) return false;
  std::size_t looked_at = 0;
  while (true) {
    if (undecided_ && tls_->peek() != Step::want_input) return false;
    undecided_ = false;
    if (looked_at == net::Stream::kMaxLookedAt) return !socket_.unread();
    const auto got = feed(net::Stream::kMaxLookedAt - looked_at);
    if (got.moved != Moved::some) return got.moved == Moved::nothing;
    looked_at += got.size;
  }
}

void Upstream::note_sending() {
  if (sent_.boot == Instant{}) sent_ = clocks_.now();
}

void Upstream::note_arrival() {
  if (received_ != Instant{}) return;
  received_ = clocks_.boot_now();
  early_ = sent_.boot == Instant{};
}

Upstream::Moved Upstream::write(relay::Buffer& from) {
  if (!tls_) {
    if (from.empty()) return Moved::nothing;
    note_sending();
    const Moved moved = socket_.write(from);
    some_sent_ = some_sent_ || moved == Moved::some;
    return moved;
  }
  if (!flush()) return Moved::failed;
  if (!out_.empty() || from.empty()) return Moved::nothing;
  const auto plain = from.bytes().substr(0, kRecord);
  if (!tls_->write(plain)) return Moved::failed;
  from.remove(plain.size());
  note_sending();
  return flush() ? Moved::some : Moved::failed;
}

/// False: nothing can be written any more. What the server sent before may still be there to read.
bool Upstream::flush() {
  tls_->output_to(out_);
  if (out_.empty()) return true;
  const auto done = socket_.write(out_);
  out_.erase(0, done.size);
  some_sent_ = some_sent_ || (done.size > 0 && sent_.boot != Instant{});
  if (done.moved != Moved::failed) return true;
  out_.clear();
  return false;
}

Upstream::Moved Upstream::read(relay::Buffer& into) {
  const Moved moved = tls_ ? read_tls(into) : socket_.read(into);
  if (moved != Moved::nothing) note_arrival();
  return moved;
}

Upstream::Moved Upstream::read_tls(relay::Buffer& into) {
  while (true) {
    if (undecided_) {
      const Moved moved = decrypt(into);
      if (moved != Moved::nothing) return moved;
    }
    if (out_.size() > kMaxOut) return Moved::nothing;
    const auto got = feed(kRecord);
    // An end without good-bye may be an attacker's cut (RFC 8446 section 6.1).
    if (got.moved == Moved::end) return Moved::failed;
    if (got.moved != Moved::some) return got.moved;
    without_content_ += got.size;
  }
}

/// `nothing`: it takes more from the network.
Upstream::Moved Upstream::decrypt(relay::Buffer& into) {
  std::size_t size = 0;
  const Step step = tls_->read(into.space(), size);
  if (step == Step::done) {
    into.added(size);
    without_content_ = 0;
    undecided_ = tls_->holds_input();
    return Moved::some;
  }
  // Replies to what was read, or an alert. If they cannot be written, the next read tells whether
  // the server has sent more: an early answer may be there.
  static_cast<void>(flush());
  if (step == Step::closed) return Moved::end;
  if (step == Step::failed || without_content_ > kMaxWithoutContent) return Moved::failed;
  undecided_ = false;
  return Moved::nothing;
}

/// At most `most` bytes from the network to tls_.
Socket::Transfer Upstream::feed(std::size_t most) {
  std::array<char, kRecord> in;  // encrypted; not set
  const auto got = socket_.read(std::span(in).first(most));
  if (got.moved != Moved::some) return got;
  tls_->feed({in.data(), got.size});
  undecided_ = true;
  return got;
}

}  // namespace skewguard::proxy
