#pragma once

#include <array>
#include <cstddef>
#include <mutex>

namespace skewguard {

/// Where whole pages come from; tests let it fail.
struct SecretPages {
  /// Zeroed, and in no core dump; null where there are none.
  void* (*map)(std::size_t size) noexcept;
  void (*unmap)(void* pages, std::size_t size) noexcept;
};
/// The kernel's.
SecretPages system_pages() noexcept;

/// From here on a forked child finds the arena unlocked.
void serve_children_with_secrets() noexcept;

/// Behind SecretMemory. Blocks of a power of two are cut from chunks of pages and used again; what
/// is longer has pages of its own. Chunks are never given back: as many are kept as were needed at
/// once. No constructor and no destructor runs, so that it serves static objects at both ends.
class SecretArena {
 public:
  static constexpr std::size_t kChunk = std::size_t{64} * 1024;      ///< bytes
  static constexpr std::size_t kMostBlock = std::size_t{32} * 1024;  ///< bytes, with its header

  constexpr explicit SecretArena(SecretPages pages) noexcept : pages_(pages) {}

  void* take(std::size_t size);
  void give_back(void* block, std::size_t size) noexcept;

  /// Around fork(): the child has no other thread that would unlock.
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kClasses = 11;  // 32 bytes to kMostBlock
  void* cut(std::size_t nth, std::size_t size) noexcept;

  SecretPages pages_;
  std::mutex mutex_;                    // over all below
  std::array<Free*, kClasses> free_{};  // by size
  char* rest_ = nullptr;                // of the newest chunk
  std::size_t left_ = 0;                // bytes
};

}  // namespace skewguard
