#include "base/secret_arena.hpp"

#include <pthread.h>
#include <string.h>  // NOLINT: explicit_bzero is not in <cstring>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <utility>

#include "skewguard/secret.hpp"

namespace skewguard {
namespace {

enum class Origin : std::uint8_t { cut, pages, heap };

/// Stands before each block.
struct alignas(std::max_align_t) Header {
  Origin origin;
};

constexpr std::size_t kLeastBlock = 2 * sizeof(Header);

void* map_pages(std::size_t size) noexcept {
  void* const pages =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  if (::madvise(pages, size, MADV_DONTDUMP) == 0) return pages;
  ::munmap(pages, size);
  return nullptr;
}

void unmap_pages(void* pages, std::size_t size) noexcept {
  ::munmap(pages, size);
}

constexpr std::size_t in_chunks(std::size_t size) {
  return (size + SecretArena::kChunk - 1) / SecretArena::kChunk * SecretArena::kChunk;
}

constinit SecretArena the_arena{{map_pages, unmap_pages}};

}  // namespace

void serve_children_with_secrets() noexcept {
  static const int once = ::pthread_atfork([] { the_arena.lock(); }, [] { the_arena.unlock(); },
                                           [] { the_arena.unlock(); });
  static_cast<void>(once);
}

SecretPages system_pages() noexcept {
  return {map_pages, unmap_pages};
}

void* SecretArena::take(std::size_t size) {
  if (size > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  const std::size_t whole = size + sizeof(Header);
  Header header{Origin::cut};
  void* place = nullptr;
  if (whole <= kMaxBlock) {
    const std::size_t room = std::bit_ceil(std::max(whole, kLeastBlock));
    place = cut(static_cast<std::size_t>(std::bit_width(room / kLeastBlock)) - 1, room);
  } else {
    header.origin = Origin::pages;
    place = pages_.map(in_chunks(whole));
  }
  if (place == nullptr) {
    header.origin = Origin::heap;
    place = std::malloc(whole);
  }
  if (place == nullptr) throw std::bad_alloc();
  return std::construct_at(static_cast<Header*>(place), header) + 1;
}

/// Null where there are no pages.
void* SecretArena::cut(std::size_t nth, std::size_t size) noexcept {
  const std::lock_guard lock(mutex_);
  if (Free* const free = free_[nth]) {
    free_[nth] = free->next;
    return reinterpret_cast<Header*>(free) - 1;
  }
  if (left_ < size) {
    void* const chunk = pages_.map(kChunk);
    if (chunk == nullptr) return nullptr;
    rest_ = static_cast<char*>(chunk);
    left_ = kChunk;
  }
  left_ -= size;
  return std::exchange(rest_, rest_ + size);
}

void SecretArena::give_back(void* block, std::size_t size) noexcept {
  ::explicit_bzero(block, size);
  Header* const header = static_cast<Header*>(block) - 1;
  const std::size_t whole = size + sizeof(Header);
  switch (header->origin) {
    case Origin::heap:
      return std::free(header);
    case Origin::pages:
      return pages_.unmap(header, in_chunks(whole));
    case Origin::cut:
      break;
  }
  const std::size_t room = std::bit_ceil(std::max(whole, kLeastBlock));
  const auto nth = static_cast<std::size_t>(std::bit_width(room / kLeastBlock)) - 1;
  const std::lock_guard lock(mutex_);
  free_[nth] = std::construct_at(static_cast<Free*>(block), Free{free_[nth]});
}

void* SecretMemory::take(std::size_t size) {
  serve_children_with_secrets();
  return the_arena.take(size);
}

void SecretMemory::give_back(void* block, std::size_t size) noexcept {
  the_arena.give_back(block, size);
}

}  // namespace skewguard
