#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>

namespace skewguard::relay {

/// A queue of bytes in memory that somebody else owns. A prefix of it, the head of a message, can
/// be kept in place while the bytes behind it come and go. Not thread-safe.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::span<char> memory) noexcept : memory_(memory) {}

  /// The bytes in the queue. The view is valid until the next non-const call.
  [[nodiscard]] std::string_view bytes() const noexcept {
    return {memory_.data() + begin_, end_ - begin_};
  }
  /// The same bytes, to be overwritten where they are.
  [[nodiscard]] std::span<char> writable() noexcept {
    return memory_.subspan(begin_, end_ - begin_);
  }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  /// How many bytes can be added.
  [[nodiscard]] std::size_t room() const noexcept {
    return memory_.size() - kept_ - (end_ - begin_);
  }

  /// Where the next bytes go: all of room(). Moves the queue, but not the kept bytes.
  [[nodiscard]] std::span<char> space() noexcept {
    if (begin_ > kept_) {
      std::memmove(memory_.data() + kept_, memory_.data() + begin_, end_ - begin_);
      end_ -= begin_ - kept_;
      begin_ = kept_;
    }
    return memory_.subspan(end_);
  }
  /// `count` bytes have been written into space().
  void added(std::size_t count) noexcept { end_ += count; }
  /// Takes `count` bytes off the front.
  void remove(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = kept_;
  }
  /// Takes `count` bytes off the front, but leaves them where they are until let_go(). Only in a
  /// buffer that keeps nothing yet.
  void keep(std::size_t count) noexcept {
    (void)space();
    kept_ = begin_ = count;
  }
  [[nodiscard]] std::string_view kept() const noexcept { return {memory_.data(), kept_}; }
  void let_go() noexcept {
    kept_ = 0;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() noexcept { begin_ = end_ = kept_ = 0; }

  /// Adds all parts, or nothing if they do not fit.
  bool append(std::initializer_list<std::string_view> parts) noexcept {
    std::size_t size = 0;
    for (const auto part : parts) size += part.size();
    if (size > room()) return false;
    if (size > memory_.size() - end_) (void)space();
    for (const auto part : parts) {
      if (!part.empty()) std::memcpy(memory_.data() + end_, part.data(), part.size());
      end_ += part.size();
    }
    return true;
  }

  /// For undoing what was appended since: only while nothing is removed.
  [[nodiscard]] std::size_t mark() const noexcept { return end_ - begin_; }
  void cut_back(std::size_t mark) noexcept { end_ = begin_ + mark; }

 private:
  std::span<char> memory_;
  std::size_t kept_ = 0;   // bytes at the front of memory_ that do not move
  std::size_t begin_ = 0;  // of the queue
  std::size_t end_ = 0;
};

/// A number as text, without an allocation.
class NumberText {
 public:
  explicit NumberText(std::uint64_t number, int base = 10) noexcept
      : size_(static_cast<std::size_t>(
            std::to_chars(text_.data(), text_.data() + text_.size(), number, base).ptr -
            text_.data())) {}
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 20> text_{};
  std::size_t size_;
};

}  // namespace skewguard::relay
