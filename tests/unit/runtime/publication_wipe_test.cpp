#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <thread>

#include "../traces.hpp"
#include "runtime/publication.hpp"

namespace skewguard::runtime {
namespace {

constexpr Instant kLeaseNow{std::chrono::hours{1}};
constexpr Instant kLeaseEnd{std::chrono::hours{2}};

oauth::TokenPtr marked_token(std::string_view value) {
  auto made = std::make_shared<oauth::Token>();
  made->value = Secret(value);
  return made;
}

constexpr auto kMarked = traces::marked<240>();

TEST(PublicationWipe, IsNeededForThisTestToSeeAnything) {
  const auto token = marked_token(kMarked.view());
  EXPECT_TRUE(traces::among_secrets());
}

TEST(PublicationWipe, LeavesNothingOfATokenWhoseLastHolderLetGo) {
  std::thread([] {
    auto publication = std::make_unique<Publication>();
    publication->publish(marked_token(kMarked.view()), kLeaseEnd);
    EXPECT_EQ(publication->read(kLeaseNow)->token, kMarked.view());
    publication->publish(nullptr, {});  // this thread is the last holder
    EXPECT_EQ(publication->read(kLeaseNow), nullptr);
    publication->publish(marked_token(kMarked.view()), kLeaseEnd);
    publication->publish(marked_token(kMarked.view()),
                         kLeaseEnd);  // nobody has read the previous one
    EXPECT_EQ(publication->read(kLeaseNow)->token, kMarked.view());
    publication.reset();
  }).join();  // when it ends, the thread releases what it has read
  EXPECT_EQ(traces::on_the_heap, 0);
  EXPECT_FALSE(traces::among_secrets());
}

}  // namespace
}  // namespace skewguard::runtime
