#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "skewguard/secret.hpp"

namespace skewguard::relay {

/// The memory for bodies that are kept until they need not be sent again. One for all sessions of a
/// worker. Blocks are reused, so that a request costs no allocation. They are secret memory: a
/// login shows a secret, and an error may repeat the token. Not thread-safe.
class ReplayMemory {
 public:
  /// `budget`: bytes of all bodies together.
  explicit ReplayMemory(std::size_t budget) noexcept : budget_(budget) {}

  /// Bytes of the budget that are not used.
  [[nodiscard]] std::size_t left() const noexcept { return budget_ - std::min(budget_, used_); }

 private:
  friend class HeldBody;
  static constexpr std::size_t kMaxSpare = 16;                          // blocks
  static constexpr std::size_t kLargestSpare = std::size_t{64} * 1024;  // bytes

  SecretBytes take() {
    if (spare_.empty()) return {};
    SecretBytes block = std::move(spare_.back());
    spare_.pop_back();
    return block;
  }
  void give_back(SecretBytes block) {
    used_ -= block.size();
    block.clear();
    const bool worth = block.capacity() > 0 && block.capacity() <= kLargestSpare;
    if (worth && spare_.size() < kMaxSpare) spare_.push_back(std::move(block));
  }

  std::size_t budget_;
  std::size_t used_ = 0;
  std::vector<SecretBytes> spare_;
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
  /// The same bytes, to be overwritten where they are.
  [[nodiscard]] std::span<char> writable() noexcept { return block_; }
  /// How many bytes the budget has room for, if at most `limit` are held.
  [[nodiscard]] std::size_t room(std::size_t limit) const noexcept {
    return std::min(memory_.left(), below(limit));
  }
  /// The same whatever the budget is.
  [[nodiscard]] std::size_t below(std::size_t limit) const noexcept {
    return limit - std::min(limit, block_.size());
  }
  /// May exceed the budget, which is then used up for others.
  void append(std::string_view bytes) {
    if (block_.capacity() == 0) block_ = memory_.take();
    block_.insert(block_.end(), bytes.begin(), bytes.end());
    memory_.used_ += bytes.size();
  }
  void clear() { memory_.give_back(std::exchange(block_, {})); }

 private:
  ReplayMemory& memory_;
  SecretBytes block_;
};

}  // namespace skewguard::relay
