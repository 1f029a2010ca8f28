#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "emulator/message.hpp"

namespace skewguard::emulator {

/// The bytes of one answer in their order, a piece at a time. Holds a download's current piece and
/// never the whole. Pure.
class Outgoing {
 public:
  /// A piece: `second` follows `first`. Both are empty at the end of the answer.
  struct Piece {
    std::string_view first;
    std::string_view second;
    [[nodiscard]] std::size_t size() const noexcept { return first.size() + second.size(); }
  };

  Outgoing() = default;
  Outgoing(std::string head, std::string body);
  Outgoing(std::string head, const Download& download);

  /// The answer ends after so many bytes, its head included.
  void end_after(std::uint64_t bytes) noexcept { left_ = bytes; }
  [[nodiscard]] std::uint64_t head_size() const noexcept { return head_.size(); }
  /// Without the framing of chunks.
  [[nodiscard]] std::uint64_t body_size() const noexcept { return body_size_; }
  /// The next bytes, at most `most` (not 0); they stay valid until the next call.
  Piece next(std::size_t most);

 private:
  std::string_view content(std::size_t most);
  void fill_buffer();

  std::string head_;
  std::string body_;  // the whole body, or the current piece of a download with its framing
  std::size_t head_at_ = 0;
  std::size_t body_at_ = 0;
  Download download_{};
  std::uint64_t body_size_ = 0;
  std::uint64_t download_at_ = 0;
  bool downloads_ = false;  // more of the download is to come
  std::uint64_t left_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace skewguard::emulator
