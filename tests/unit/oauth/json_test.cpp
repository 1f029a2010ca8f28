#include "oauth/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard::oauth {
namespace {

TEST(NumberOfText, ReadsAJsonNumberAlone) {
  EXPECT_EQ(number_of_text("3600"), 3600);
  EXPECT_EQ(number_of_text("3600.5"), 3600.5);
  EXPECT_EQ(number_of_text("3.6e3"), 3600);
  EXPECT_EQ(number_of_text("-5"), -5);
  for (const char* text : {"", "soon", "3600s", "NaN", "0x10", "1,5", "{}", "true"})
    EXPECT_EQ(number_of_text(text), std::nullopt) << text;
}

TEST(NumberOfText, ReadsUpTo64Characters) {
  const std::string most = "0." + std::string(62, '5');
  EXPECT_TRUE(number_of_text(most));
  EXPECT_FALSE(number_of_text(most + "5"));
}

TEST(ParseJson, CountsBracketsThatAreOpen) {
  EXPECT_TRUE(parse_json("[[],{},[]]", 2));
  EXPECT_TRUE(parse_json(R"(["[[[", "\"[["])", 2)) << "those in strings are none";
  EXPECT_FALSE(parse_json("[[[]]]", 2));
  EXPECT_FALSE(parse_json("[]]]][[[]]]", 2));
}

TEST(MemberLike, PrefersTheExactNameAndForgivesItsSpelling) {
  const auto object = parse_json(R"({"accessToken":1,"access_token":2,"Token-Type":3})");
  EXPECT_EQ(*member_like(*object, "access_token"), 2);
  EXPECT_EQ(*member_like(*object, "token_type"), 3);
  EXPECT_EQ(member_like(*object, "expires_in"), nullptr);
  EXPECT_EQ(member_like(*parse_json("[1]"), "access_token"), nullptr);
}

TEST(MemberLike, ComparesWithNoMoreNamesThanAnAnswerHas) {
  nlohmann::json object = {{"accessToken", 1}};
  for (std::size_t i = 1; i < kMaxNames; ++i) object[std::to_string(i)] = 0;
  EXPECT_NE(member_like(object, "access_token"), nullptr);
  object["one more"] = 0;
  EXPECT_EQ(member_like(object, "access_token"), nullptr);
  EXPECT_NE(member_like(object, "accessToken"), nullptr) << "this costs nothing";
}

std::string form(std::string_view text, std::string_view name = "error") {
  const auto json = json_of_form(text, name);
  return json ? std::string(json->view()) : "none";
}

TEST(JsonOfForm, ReadsTheFieldsOfAForm) {
  EXPECT_EQ(form("error=a&error_description=b+c%21"),
            R"({"error":"a","error_description":"b c!"})");
  EXPECT_EQ(form("error=%22%5C%0A%C3%A9"), "{\"error\":\"\\\"\\\\\\u000a\xC3\xA9\"}");
  EXPECT_TRUE(parse_json(form("error=%22%5C%0A%00")));
}

TEST(JsonOfForm, TakesAsManyFieldsAsAnAnswerMayHave) {
  std::string most = "error=a";
  for (std::size_t i = 1; i < kMaxNames; ++i) most += "&b=";
  EXPECT_NE(form(most), "none");
  EXPECT_EQ(form(most + "&b="), "none");
}

TEST(JsonOfForm, TakesNothingElseForOne) {
  for (const char* text : {"", "error", "error=%", "error=%4", "error=%zz", "an error=b", "x=1",
                           "<html a=b>", "error=1&", "=b"}) {
    const bool empty_field = std::string_view(text) == "error=1&";
    EXPECT_EQ(form(text), empty_field ? R"({"error":"1"})" : "none") << text;
  }
}

}  // namespace
}  // namespace skewguard::oauth
