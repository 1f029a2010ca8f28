#include "proxy/desk.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace skewguard::proxy {
namespace {

TEST(Desks, LendsOneAgainWithoutWhatWasOnIt) {
  Desks desks;
  auto desk = desks.lend();
  const Desk* const first = desk.get();
  for (auto* buffer : {&desk->work.client_in, &desk->work.client_out, &desk->work.upstream_in,
                       &desk->work.upstream_out}) {
    EXPECT_EQ(buffer->room(), Desk::kBuffer);
    ASSERT_TRUE(buffer->append({"secret"}));
    buffer->keep(3);
  }
  desks.give_back(std::move(desk));
  EXPECT_EQ(desks.spare(), 1U);
  desk = desks.lend();
  EXPECT_EQ(desk.get(), first);
  EXPECT_EQ(desks.spare(), 0U);
  for (auto* buffer : {&desk->work.client_in, &desk->work.client_out, &desk->work.upstream_in,
                       &desk->work.upstream_out}) {
    EXPECT_TRUE(buffer->empty());
    EXPECT_EQ(buffer->room(), Desk::kBuffer);
  }
}

TEST(Desks, FreesThoseThatNobodyUsesOneByOne) {
  constexpr std::size_t kMany = 300;
  Desks desks;
  std::vector<std::unique_ptr<Desk>> lent(kMany);
  for (auto& desk : lent) desk = desks.lend();
  for (auto& desk : lent) desks.give_back(std::move(desk));
  EXPECT_EQ(desks.spare(), 256U);
  desks.trim();
  EXPECT_EQ(desks.spare(), 256U) << "they have just been used";
  desks.trim();
  desks.trim();
  EXPECT_EQ(desks.spare(), 254U);
  for (std::size_t n = 0; n < kMany; ++n) desks.trim();
  EXPECT_EQ(desks.spare(), 4U);
}

}  // namespace
}  // namespace skewguard::proxy
