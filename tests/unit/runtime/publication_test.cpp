#include "runtime/publication.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <latch>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace skewguard::runtime {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1h};
constexpr Instant kEnd{2h};

oauth::TokenPtr token(std::string_view value) {
  auto made = std::make_shared<oauth::Token>();
  made->value = Secret(value);
  return made;
}
/// The token that is read, as text; "-" for null.
std::string read(Publication& publication, Instant now = kNow) {
  const Lease* lease = publication.read(now);
  return lease == nullptr ? "-" : std::string(lease->token);
}

TEST(Publication, ShowsNothingBeforeAnythingIsPublished) {
  Publication publication;
  EXPECT_EQ(publication.read(kNow), nullptr);
  EXPECT_EQ(publication.read(Instant::min()), nullptr);
}

TEST(Publication, ShowsTheTokenAndTheWholeHeaderValue) {
  Publication publication;
  publication.publish(token("abc"), kEnd);
  const Lease* lease = publication.read(kNow);
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->token, "abc");
  EXPECT_EQ(lease->authorization, "Bearer abc");
  EXPECT_EQ(lease->until, kEnd);
}

TEST(Publication, ShowsWhichTokenItIs) {
  Publication publication;
  auto seventh = std::make_shared<oauth::Token>();
  seventh->value = Secret("abc");
  seventh->generation = 7;
  publication.publish(seventh, kEnd);
  EXPECT_EQ(publication.read(kNow)->generation, 7U);
  publication.publish(seventh, kEnd + 1h);
  EXPECT_EQ(publication.read(kNow)->generation, 7U) << "the same token with another end";
}

TEST(Publication, ShowsTheSameLeaseWhileNothingIsPublished) {
  Publication publication;
  publication.publish(token("abc"), kEnd);
  const Lease* lease = publication.read(kNow);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(publication.read(kNow + i * 1s), lease);
}

TEST(Publication, ShowsWhatIsPublishedNext) {
  Publication publication;
  publication.publish(token("one"), kEnd);
  EXPECT_EQ(read(publication), "one");
  publication.publish(token("two"), kEnd + 1h);
  EXPECT_EQ(read(publication), "two");
  EXPECT_EQ(read(publication, kEnd), "two");
  publication.publish(nullptr, {});
  EXPECT_EQ(read(publication), "-");
  publication.publish(token("three"), kEnd);
  EXPECT_EQ(read(publication), "three");
}

TEST(Publication, ShowsNothingFromItsEndOn) {
  Publication publication;
  publication.publish(token("abc"), kEnd);
  EXPECT_EQ(read(publication, kEnd), "-") << "not yet seen by this thread";
  EXPECT_EQ(read(publication, kEnd - 1ns), "abc");
  EXPECT_EQ(read(publication, kEnd), "-");
  EXPECT_EQ(read(publication, kEnd - 1ns), "abc") << "readers may pass different times";
}

TEST(Publication, IsNotTakenForAnother) {
  Publication one;
  Publication other;
  one.publish(token("one"), kEnd);
  EXPECT_EQ(read(other), "-");
  other.publish(token("other"), kEnd);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(read(one), "one");
    EXPECT_EQ(read(other), "other");
  }
}

TEST(Publication, IsNotTakenForOneThatStoodAtItsPlace) {
  std::optional<Publication> publication;
  for (const char* value : {"first", "second", "third"}) {
    publication.emplace();
    EXPECT_EQ(read(*publication), "-");
    publication->publish(token(value), kEnd);
    EXPECT_EQ(read(*publication), value);
  }
}

TEST(Publication, MayBeOneOfMoreThanAThreadRemembers) {
  std::array<Publication, 13> all;
  for (std::size_t i = 0; i < all.size(); ++i)
    all.at(i).publish(token("t" + std::to_string(i)), kEnd);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(read(all.at(i)), "t" + std::to_string(i));
  }
}

TEST(Publication, LeavesALeaseWholeUntilTheNextRead) {
  auto publication = std::make_unique<Publication>();
  const std::string value(300, 'x');
  publication->publish(token(value), kEnd);
  const Lease* lease = publication->read(kNow);
  publication->publish(nullptr, {});
  EXPECT_EQ(lease->token, value);
  publication.reset();
  EXPECT_EQ(lease->token, value);
  EXPECT_EQ(lease->authorization, "Bearer " + value);
}

// Readers -----------------------------------------------------------------------------------------

TEST(Publication, IsReadByReadersThatKeepWhatTheyRead) {
  Publication publication;
  LeaseReader early;
  LeaseReader late;
  EXPECT_EQ(publication.read(early, kNow), nullptr);
  publication.publish(token("one"), kEnd);
  const Lease* one = publication.read(early, kNow);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(publication.read(early, kNow), one);
  publication.publish(token("two"), kEnd);
  EXPECT_EQ(publication.read(late, kNow)->token, "two");
  EXPECT_EQ(one->token, "one") << "another reader's read does not end it";
  EXPECT_EQ(publication.read(early, kNow)->token, "two");
  EXPECT_EQ(publication.read(late, kEnd), nullptr);
  publication.publish(nullptr, {});
  EXPECT_EQ(publication.read(late, kNow), nullptr);
}

TEST(Publication, ReportsTheFirstUseByAReaderOnce) {
  int uses = 0;
  Publication publication([&] { ++uses; });
  LeaseReader one;
  LeaseReader other;
  publication.publish(token("abc"), kEnd);
  for (LeaseReader* reader : {&one, &other, &one})
    EXPECT_NE(publication.read(*reader, kNow), nullptr);
  EXPECT_EQ(uses, 1);
}

TEST(LeaseReader, ReadsNothingWithoutAClient) {
  EXPECT_EQ(LeaseReader().lease(kNow), nullptr);
}

// Readers and a writer at once --------------------------------------------------------------------

constexpr int kReaders = 4;
constexpr int kTokens = 10'000;

/// The n-th token: its number repeated, so that a torn read shows.
std::string nth(int n) {
  const std::string number = std::to_string(100'000 + n);
  std::string value;
  for (int i = 0; i < 20; ++i) value += number;
  return value;
}
int number_of(const Lease& lease) {
  const int n = std::stoi(std::string(lease.token.substr(0, 6))) - 100'000;
  EXPECT_EQ(lease.token, nth(n));
  EXPECT_EQ(lease.authorization, "Bearer " + nth(n));
  EXPECT_EQ(lease.until, kEnd + n * 1s);
  return n;
}

thread_local bool told_of_use = false;

TEST(Publication, ShowsReadersOneWholeTokenAfterAnotherWhileItIsWritten) {
  std::array<std::atomic<int>, kTokens + 1> uses{};
  Publication publication([] { told_of_use = true; });
  std::atomic<bool> over{false};
  std::vector<std::thread> readers;
  readers.reserve(kReaders);
  for (int r = 0; r < kReaders; ++r) {
    readers.emplace_back([&] {
      for (int last = 0; last < kTokens;) {
        const bool may_be_the_last = over;
        const Lease* lease = publication.read(kNow);
        if (lease != nullptr) {
          const int n = number_of(*lease);
          EXPECT_GE(n, last);
          last = n;
          if (std::exchange(told_of_use, false)) ++uses.at(static_cast<std::size_t>(n));
        }
        if (may_be_the_last) {
          EXPECT_EQ(last, kTokens) << "what is published is seen";
          break;
        }
      }
    });
  }
  for (int n = 1; n <= kTokens; ++n) publication.publish(token(nth(n)), kEnd + n * 1s);
  over = true;
  for (auto& reader : readers) reader.join();
  for (const auto& times : uses) EXPECT_LE(times, 1);
  EXPECT_EQ(uses.back(), 1);
}

TEST(Publication, ReportsTheFirstUseOfEachTokenOnce) {
  std::atomic<int> uses{0};
  Publication publication([&] { ++uses; });
  const auto read_by_four = [&] {
    std::vector<std::thread> readers;
    readers.reserve(kReaders);
    for (int r = 0; r < kReaders; ++r) {
      readers.emplace_back([&] {
        for (int i = 0; i < 100; ++i) static_cast<void>(publication.read(kNow));
      });
    }
    for (auto& reader : readers) reader.join();
  };
  read_by_four();
  EXPECT_EQ(uses, 0) << "there is no token";
  publication.publish(token("one"), kNow);
  read_by_four();
  EXPECT_EQ(uses, 0) << "it has ended";
  for (int n = 1; n <= 3; ++n) {
    publication.publish(token("next"), kEnd);
    EXPECT_EQ(uses, n - 1);
    read_by_four();
    EXPECT_EQ(uses, n);
  }
  publication.publish(nullptr, {});
  read_by_four();
  EXPECT_EQ(uses, 3);
}

TEST(Publication, ReportsNoUseOfATokenTwiceIfOneThreadReadsMany) {
  std::atomic<int> uses{0};
  std::vector<std::unique_ptr<Publication>> all;
  for (int i = 0; i < 13; ++i) {
    all.push_back(std::make_unique<Publication>([&] { ++uses; }));
    all.back()->publish(token("t"), kEnd);
  }
  for (int round = 0; round < 3; ++round) {
    for (const auto& publication : all) EXPECT_EQ(read(*publication), "t");
  }
  EXPECT_EQ(uses, 13);
}

/// A Publication on its own pages, which are read-only while they are sealed.
class SealedPublication {
 public:
  SealedPublication() {
    if (pages_ == MAP_FAILED) std::abort();
    publication_ = std::construct_at(static_cast<Publication*>(pages_));
  }
  ~SealedPublication() {
    unseal();
    std::destroy_at(publication_);
    ::munmap(pages_, kBytes);
  }
  SealedPublication(const SealedPublication&) = delete;
  SealedPublication& operator=(const SealedPublication&) = delete;
  Publication& operator*() noexcept { return *publication_; }
  void seal() { protect(PROT_READ); }
  void unseal() { protect(PROT_READ | PROT_WRITE); }

 private:
  static constexpr std::size_t kBytes = (sizeof(Publication) + 4095) / 4096 * 4096;
  void protect(int how) {
    if (::mprotect(pages_, kBytes, how) != 0) std::abort();
  }

  void* pages_ =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Publication* publication_ = nullptr;
};

/// More publications than a thread remembers, in turn: taking a lock would be a write.
TEST(Publication, IsReadByAReaderOfEachWithoutAWrite) {
  std::array<SealedPublication, 13> all;
  std::array<LeaseReader, 13> readers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    (*all.at(i)).publish(token("t" + std::to_string(i)), kEnd);
    static_cast<void>((*all.at(i)).read(readers.at(i), kNow));
  }
  for (SealedPublication& each : all) each.seal();
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Lease* lease = (*all.at(i)).read(readers.at(i), kNow);
      ASSERT_NE(lease, nullptr);
      EXPECT_EQ(lease->token, "t" + std::to_string(i));
    }
  }
  for (SealedPublication& each : all) each.unseal();  // their destructors write
}

/// No lock, no counter, no flag: a write would end the program.
TEST(Publication, IsReadByManyThreadsWithoutAWriteToWhatTheyShare) {
  SealedPublication sealed;
  (*sealed).publish(token("shared"), kEnd);
  std::latch read_once(2);
  std::latch is_sealed(1);
  std::atomic<int> good{0};
  std::vector<std::thread> readers;
  readers.reserve(2);
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      static_cast<void>((*sealed).read(kNow));
      read_once.count_down();
      is_sealed.wait();
      for (int n = 0; n < 1000; ++n)
        if ((*sealed).read(kNow) != nullptr) ++good;
    });
  }
  read_once.wait();
  sealed.seal();
  is_sealed.count_down();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(good, 2000);
}

}  // namespace
}  // namespace skewguard::runtime
