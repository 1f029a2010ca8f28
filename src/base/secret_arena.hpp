#pragma once

#include <array>
#include <cstddef>
#include <mutex>

namespace skewguard {

/// The source of whole pages; tests make it fail.
struct SecretPages {
  /// Zeroed, and excluded from core dumps; null if there are none.
  void* (*map)(std::size_t size) noexcept;
  void (*unmap)(void* pages, std::size_t size) noexcept;
};
/// The kernel's.
SecretPages system_pages() noexcept;

/// From here on the arena is unlocked in a forked child.
void serve_children_with_secrets() noexcept;

/// The allocator behind SecretMemory. Blocks of a power of two are cut from chunks of pages and
/// reused; longer ones get their own pages. Chunks are never returned to the system. It has no
/// constructor or destructor to run, so static objects may use it during startup and shutdown.
class SecretArena {
 public:
  static constexpr std::size_t kChunk = std::size_t{64} * 1024;     ///< bytes
  static constexpr std::size_t kMaxBlock = std::size_t{32} * 1024;  ///< bytes, with its header

  constexpr explicit SecretArena(SecretPages pages) noexcept : pages_(pages) {}

  void* take(std::size_t size);
  void give_back(void* block, std::size_t size) noexcept;

  /// Around fork(): the child has no other thread to unlock it.
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kClasses = 11;  // 32 bytes to kMaxBlock
  void* cut(std::size_t nth, std::size_t size) noexcept;

  SecretPages pages_;
  std::mutex mutex_;                    // over all below
  std::array<Free*, kClasses> free_{};  // by size
  char* rest_ = nullptr;                // of the newest chunk
  std::size_t left_ = 0;                // bytes
};

}  // namespace skewguard
