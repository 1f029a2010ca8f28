#include "base/secret_arena.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "../../hung.hpp"
#include "base/secret_text.hpp"

namespace skewguard {
namespace {

constexpr std::array<std::size_t, 12> kSizes{
    0, 1, 15, 16, 17, 4095, 4096, 32752, 32753, 65536, 65537, std::size_t{1} << 20U};

/// Whether the mapping that holds `place` is marked MADV_DONTDUMP.
bool hidden(const void* place) {
  const auto at = reinterpret_cast<std::uintptr_t>(place);
  std::ifstream smaps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) here = begin <= at && at < end;
    if (here && line.starts_with("VmFlags:")) return line.find(" dd") != std::string::npos;
  }
  return false;
}

bool aligned(const void* place) {
  return reinterpret_cast<std::uintptr_t>(place) % alignof(std::max_align_t) == 0;
}

int maps_left = 0;
void* map_some(std::size_t size) noexcept {
  return maps_left-- > 0 ? system_pages().map(size) : nullptr;
}
std::size_t unmapped = 0;  // bytes
void unmap_counted(void* pages, std::size_t size) noexcept {
  unmapped += size;
  system_pages().unmap(pages, size);
}

TEST(SecretArena, GivesAlignedBlocksOfEverySizeThatNoDumpShows) {
  SecretArena arena(system_pages());
  for (const std::size_t size : kSizes) {
    auto* const block = static_cast<char*>(arena.take(size));
    EXPECT_TRUE(aligned(block)) << size;
    std::memset(block, 'x', size);
    EXPECT_TRUE(hidden(block)) << size;
    arena.give_back(block, size);
  }
  EXPECT_FALSE(hidden(&arena));
  EXPECT_FALSE(hidden(std::vector<char>(100).data()));
}

TEST(SecretArena, WipesABlockBeforeItIsUsedAgain) {
  SecretArena arena(system_pages());
  auto* const block = static_cast<char*>(arena.take(100));
  std::memset(block, 'x', 100);
  arena.give_back(block, 100);
  EXPECT_EQ(std::string_view(block, 100).find('x'), std::string_view::npos);
  EXPECT_EQ(arena.take(100), block);
}

TEST(SecretArena, GivesThePagesOfALongBlockBack) {
  unmapped = 0;
  maps_left = 1;
  SecretArena arena({map_some, unmap_counted});
  arena.give_back(arena.take(SecretArena::kMaxBlock), SecretArena::kMaxBlock);
  EXPECT_EQ(unmapped, SecretArena::kChunk);
}

TEST(SecretArena, FallsBackToTheHeapIfThereAreNoPages) {
  maps_left = 1;
  SecretArena arena({map_some, unmap_counted});
  std::vector<void*> blocks;
  blocks.reserve(5);
  for (int i = 0; i < 5; ++i) blocks.push_back(arena.take(20'000));  // two of them fill a chunk
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(hidden(blocks[i]), i < 2) << i;
    EXPECT_TRUE(aligned(blocks[i]));
    std::memset(blocks[i], 'x', 20'000);
  }
  void* const pages = arena.take(100'000);
  EXPECT_FALSE(hidden(pages));
  arena.give_back(pages, 100'000);
  for (void* block : blocks) arena.give_back(block, 20'000);
  EXPECT_TRUE(hidden(arena.take(20'000))) << "what was given back is used again";
}

TEST(SecretArena, RefusesASizeThatNoMachineHas) {
  EXPECT_THROW(SecretMemory::take(SIZE_MAX), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(SecretAllocator<std::uint64_t>().allocate(SIZE_MAX / 4)),
               std::bad_alloc);
}

/// Allocates, fills, checks and frees blocks of many sizes. 0 = nobody else wrote to them.
int work(char letter) {
  std::vector<SecretText> texts(40);
  for (std::size_t round = 0; round < 60; ++round) {
    auto& text = texts[round * 7 % texts.size()];
    if (text.view().find_first_not_of(letter) != std::string_view::npos) return 1;
    text = SecretText();
    text.append(std::string(kSizes[round % kSizes.size()] % 70'000, letter));
  }
  return 0;
}

TEST(SecretArena, ServesManyThreadsAtOnce) {
  std::array<int, 8> results{};
  std::vector<std::thread> threads;
  threads.reserve(results.size());
  for (std::size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([&results, i] { results.at(i) = work(static_cast<char>('a' + i)); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(results, (std::array<int, 8>{}));
}

#ifndef __SANITIZE_THREAD__  // it knows no fork of a process with threads
TEST(SecretArena, ServesAForkedChildWhateverOtherThreadsDid) {
  std::atomic<bool> over{false};
  std::thread busy([&over] {
    while (!over) Secret("as often as may be");
  });
  const Secret before("before the fork");
  for (int i = 0; i < 100 && !HasFailure(); ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(static_cast<unsigned>(
          kHung.count()));  // ends a child that waits for a lock that nobody gives back
      ::_exit(Secret(before) == Secret("before the fork") ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  over = true;
  busy.join();
}
#endif

TEST(SecretText, MayGrow) {
  SecretText text;
  std::string plain;
  for (int i = 0; i < 10'000; ++i) {
    text.append(std::to_string(i)).append("-");
    plain += std::to_string(i) + "-";
  }
  EXPECT_EQ(text, plain);
  EXPECT_TRUE(hidden(text.data()));
  EXPECT_EQ(std::move(text).secret().reveal(), plain);
  EXPECT_EQ(joined_secret({"a", "", "bc"}), Secret("abc"));
}

}  // namespace
}  // namespace skewguard
