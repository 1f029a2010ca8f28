#include "oauth/answer_body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oauth_testing.hpp"

namespace skewguard::oauth {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

AnswerBody read_json(std::string body) {
  return read_body(answer_of(400, std::move(body)));
}

/// ["x","x", ...]
std::string texts(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += out.empty() ? R"("x")" : R"(,"x")";
  return "[" + out + "]";
}

TEST(AnswerBody, ListsEveryTextThatMayDescribeTheError) {
  const AnswerBody body = read_json(
      R"({"error":"invalid_token","error_description":"expired","details":["by 3 s",7,""]})");
  EXPECT_EQ(body.form, AnswerBody::Form::json);
  EXPECT_EQ(body.error, "invalid_token");
  EXPECT_EQ(body.description, "expired");
  EXPECT_THAT(body.statements, ElementsAre("invalid_token", "expired", "by 3 s"));
  EXPECT_THAT(read_json("{}").statements, IsEmpty());
}

TEST(AnswerBody, ListsTenTextsOfAnArrayAtMost) {
  EXPECT_THAT(read_json(R"({"errors":)" + texts(10) + "}").statements, SizeIs(10));
  const AnswerBody body = read_json(R"({"errors":)" + texts(11) + "}");
  EXPECT_THAT(body.statements, SizeIs(10));
  EXPECT_THAT(body.statements, Each("x"));
  EXPECT_EQ(body.description, "x");
}

}  // namespace
}  // namespace skewguard::oauth
