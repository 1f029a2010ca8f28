#include "skewguard/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace skewguard {
namespace {

Error refused() {
  return {.kind = ErrorKind::credentials, .message = "refused", .remedy = ""};
}

TEST(Result, HoldsItsValue) {
  Result<std::string> result = std::string("token");
  ASSERT_TRUE(result.ok());
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, "token");
  EXPECT_EQ(result->size(), 5U);
  EXPECT_EQ(result.value_or("other"), "token");
  *result = "changed";
  EXPECT_EQ(result.value(), "changed");
}

TEST(Result, HoldsItsError) {
  const Result<std::string> result = refused();
  EXPECT_FALSE(result.ok());
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::credentials);
  EXPECT_EQ(result.error().message, "refused");
  EXPECT_EQ(result.value_or("other"), "other");
}

TEST(Result, GivesAwayWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
  Result<std::unique_ptr<int>> failed = refused();
  const Error error = std::move(failed).error();
  EXPECT_EQ(error.message, "refused");
}

TEST(Result, CarriesAnErrorFromOneTypeToAnother) {
  const auto outer = []() -> Result<std::string> {
    Result<int> inner = refused();
    if (!inner) return std::move(inner).error();
    return std::to_string(*inner);
  }();
  EXPECT_EQ(outer.error().message, "refused");
}

TEST(Result, OfNothingIsSuccessOrAnError) {
  EXPECT_TRUE(Result<void>().ok());
  const Result<void> failed = refused();
  EXPECT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "refused");
}

TEST(Result, ThrowsItsErrorWhereThatIsAskedForAlone) {
  EXPECT_EQ(Result<int>(7).or_throw(), 7);
  const Result<std::string> kept = std::string("token");
  EXPECT_EQ(&kept.or_throw(), &*kept);
  EXPECT_EQ(*Result(std::make_unique<int>(7)).or_throw(), 7);
  Result<void>().or_throw();

  const Error error{.kind = ErrorKind::config, .message = "no client id", .remedy = "set one"};
  const auto expect_thrown = [](const auto& throws) {
    try {
      throws();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& thrown) {
      EXPECT_STREQ(thrown.what(), "no client id: set one");
      const auto copy = dynamic_cast<const Exception&>(thrown);
      EXPECT_EQ(copy.error().kind, ErrorKind::config);
      EXPECT_EQ(copy.error().remedy, "set one");
    }
  };
  const Result<std::string> failed = error;
  expect_thrown([&] { static_cast<void>(failed.or_throw()); });
  EXPECT_EQ(failed.error().message, "no client id") << "it is still there";
  expect_thrown([&] { static_cast<void>(Result<int>(error).or_throw()); });
  expect_thrown([&] { Result<void>(error).or_throw(); });
}

TEST(ResultDeathTest, ReadingTheWrongSideEndsTheProcessAndSaysTheError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Result<int> failed = refused();
  const Result<int> good = 7;
  const Result<void> done;
  EXPECT_DEATH((void)*failed, "refused");
  EXPECT_DEATH((void)failed.value(), "refused");
  EXPECT_DEATH((void)good.error(), "");
  EXPECT_DEATH((void)done.error(), "");
}

}  // namespace
}  // namespace skewguard
