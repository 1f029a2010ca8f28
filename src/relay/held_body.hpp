#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace skewguard::relay {

/// The memory for bodies that are kept until they need not be sent again. One for all sessions of a
/// worker. Blocks are reused, so that a request costs no allocation. Not thread-safe.
class ReplayMemory {
 public:
  /// `budget`: bytes of all bodies together.
  explicit ReplayMemory(std::size_t budget) noexcept : left_(budget) {}

  [[nodiscard]] std::size_t left() const noexcept { return left_; }

 private:
  friend class HeldBody;
  static constexpr std::size_t kMaxSpare = 16;                          // blocks
  static constexpr std::size_t kLargestSpare = std::size_t{64} * 1024;  // bytes

  std::vector<char> take() {
    if (spare_.empty()) return {};
    std::vector<char> block = std::move(spare_.back());
    spare_.pop_back();
    return block;
  }
  void give_back(std::vector<char> block) {
    left_ += block.size();
    block.clear();
    const bool worth = block.capacity() > 0 && block.capacity() <= kLargestSpare;
    if (worth && spare_.size() < kMaxSpare) spare_.push_back(std::move(block));
  }

  std::size_t left_;
  std::vector<std::vector<char>> spare_;
};

/// One body. Returns its memory when it is destroyed.
class HeldBody {
 public:
  /// `memory` must outlive it.
  explicit HeldBody(ReplayMemory& memory) noexcept : memory_(memory) {}
  HeldBody(const HeldBody&) = delete;
  HeldBody& operator=(const HeldBody&) = delete;
  ~HeldBody() { clear(); }

  [[nodiscard]] std::string_view bytes() const noexcept { return {block_.data(), block_.size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return block_.size(); }
  /// How many bytes can be appended, if at most `limit` are held.
  [[nodiscard]] std::size_t room(std::size_t limit) const noexcept {
    return std::min(memory_.left_, limit - std::min(limit, block_.size()));
  }
  /// At most room().
  void append(std::string_view bytes) {
    if (block_.capacity() == 0) block_ = memory_.take();
    block_.insert(block_.end(), bytes.begin(), bytes.end());
    memory_.left_ -= bytes.size();
  }
  void clear() { memory_.give_back(std::exchange(block_, {})); }

 private:
  ReplayMemory& memory_;
  std::vector<char> block_;
};

}  // namespace skewguard::relay
