#include "emulator/outgoing.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace skewguard::emulator {
Outgoing::Outgoing(std::string head, std::string body)
    : head_(std::move(head)), body_(std::move(body)), body_size_(body_.size()) {}

Outgoing::Outgoing(std::string head, const Download& download)
    : head_(std::move(head)), download_(download), body_size_(download.size), downloads_(true) {}

Outgoing::Piece Outgoing::next(std::size_t most) {
  most = static_cast<std::size_t>(std::min<std::uint64_t>(most, left_));
  Piece piece;
  piece.first = std::string_view(head_).substr(head_at_, most);
  head_at_ += piece.first.size();
  if (piece.first.size() < most) piece.second = content(most - piece.first.size());
  left_ -= piece.size();
  return piece;
}

std::string_view Outgoing::content(std::size_t most) {
  if (body_at_ == body_.size() && downloads_) fill_buffer();
  const auto part = std::string_view(body_).substr(body_at_, most);
  body_at_ += part.size();
  return part;
}

/// The next piece of the download: a chunk where it is chunked, and after the last one the line
/// that ends the body (RFC 9112 section 7.1).
void Outgoing::fill_buffer() {
  const auto size = static_cast<std::size_t>(
      std::min<std::uint64_t>(download_.pace.piece, download_.size - download_at_));
  const bool chunked = download_.framing == Download::Framing::chunked;
  std::array<char, 20> line{};
  std::snprintf(line.data(), line.size(), "%zx\r\n", size);
  body_ = chunked ? line.data() : "";
  const auto begin = body_.size();
  body_.resize(begin + size);
  fill_download(download_at_, body_.data() + begin, size);
  if (chunked) body_ += "\r\n";
  body_at_ = 0;
  download_at_ += size;
  downloads_ = download_at_ < download_.size || (chunked && size > 0);
}

}  // namespace skewguard::emulator
