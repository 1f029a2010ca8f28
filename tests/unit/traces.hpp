#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <new>
#include <sstream>
#include <string>
#include <string_view>

// Traces of what a test program marked, in memory that was given back. For one file of a program:
// every block that goes to the heap passes through here, and is looked at while it is still ours.
namespace skewguard::traces {

inline constexpr std::string_view kMark = "S3CRET";
inline std::atomic<int> on_the_heap{0};  ///< blocks given back with a mark in them

/// Whether a mark stands in the memory of secrets: in a block that is in use, or was given back.
inline bool among_secrets() {
  constexpr std::uintptr_t kMax = std::uintptr_t{64} << 20U;  // sanitizers have such memory, too
  std::ifstream smaps("/proc/self/smaps");
  std::uintptr_t begin = 0, end = 0;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::uintptr_t first = 0, last = 0;
    char dash = 0;
    if (words >> std::hex >> first >> dash >> last && dash == '-') {
      begin = first;
      end = last;
    }
    if (!line.starts_with("VmFlags: rd wr") || line.find(" dd") == std::string::npos) continue;
    if (end - begin > kMax) continue;
    const auto* const bytes = reinterpret_cast<const char*>(begin);  // NOLINT: an address as text
    if (std::string_view(bytes, end - begin).find(kMark) != std::string_view::npos) return true;
  }
  return false;
}

/// "S3CRET" over and over, without lying in a block that is given back uncounted.
template <std::size_t kSize>
constexpr auto marked() {
  struct {
    char text[kSize];
    [[nodiscard]] constexpr std::string_view view() const { return {text, kSize}; }
  } out{};
  for (std::size_t i = 0; i < kSize; ++i) out.text[i] = kMark[i % kMark.size()];
  return out;
}

inline void give_back(void* block, std::size_t size) noexcept {
  if (block == nullptr) return;
  const auto* const bytes = static_cast<const char*>(block);
  if (std::string_view(bytes, size).find(kMark) != std::string_view::npos) ++on_the_heap;
  std::free(block);
}

}  // namespace skewguard::traces

void* operator new(std::size_t size) {
  if (void* const block = std::malloc(std::max<std::size_t>(size, 1))) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t size) noexcept {
  skewguard::traces::give_back(block, size);
}
