#include "proxy/client_limit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "proxy/upstream_pool.hpp"

namespace skewguard::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kOfWorker = static_cast<std::int64_t>(UpstreamPool::kMaxInUse);

TEST(ClientLimit, IsTheFullOneIfThereAreEnoughFiles) {
  for (const std::size_t workers : {1U, 2U, 64U}) {
    const auto files = files_wanted(workers);
    for (const auto more : {files, files + 1, std::uint64_t{1} << 63}) {
      const auto limit = client_limit(more, workers);
      EXPECT_EQ(limit.served, 12'000);
      EXPECT_EQ(limit.turned_away, 100);
      EXPECT_THAT(describe_low_limit(limit, more, workers), IsEmpty());
    }
    EXPECT_EQ(client_limit(files - 1, workers).served, 11'999);
  }
}

TEST(ClientLimit, LeavesFilesForAsManyConnectionsToTheApiAsThereCanBe) {
  for (std::int64_t files = 64; files < 20'000; files += 7) {
    for (const std::size_t workers : {1U, 2U}) {
      const auto limit = client_limit(static_cast<std::uint64_t>(files), workers);
      const auto to_api = std::min(limit.served, kOfWorker) * static_cast<std::int64_t>(workers);
      EXPECT_LE(limit.served + limit.turned_away + to_api, files - 48) << files;
    }
  }
}

TEST(ClientLimit, ServesAtLeastOneClient) {
  EXPECT_EQ(client_limit(0, 64).served, 1);
  EXPECT_EQ(client_limit(0, 64).turned_away, 0);
}

TEST(ClientLimit, IsAnErrorWhereNobodyCouldBeServed) {
  EXPECT_TRUE(check_file_limit(59, 2));
  EXPECT_TRUE(check_file_limit(54, 1));
  EXPECT_FALSE(check_file_limit(53, 1));
  const auto checked = check_file_limit(58, 2);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(checked.error().message, HasSubstr("no more than 58 files"));
  EXPECT_THAT(checked.error().remedy, HasSubstr("`ulimit -n` to at least 59"));
}

TEST(ClientLimit, SaysHowToRaiseIt) {
  const auto limit = client_limit(1024, 1);
  const std::string text = describe_low_limit(limit, 1024, 1);
  EXPECT_THAT(text, HasSubstr("only " + std::to_string(limit.served) + " connections"));
  EXPECT_THAT(text, HasSubstr("`ulimit -Hn` to " + std::to_string(files_wanted(1))));
}

}  // namespace
}  // namespace skewguard::proxy
