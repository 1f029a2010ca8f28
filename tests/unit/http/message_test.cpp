#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "skewguard/http.hpp"
#include "skewguard/transport.hpp"

namespace skewguard {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Headers, FindsTheFirstFieldWhateverTheCase) {
  const Headers headers{{"Date", "first"}, {"X-Other", "x"}, {"date", "second"}};
  EXPECT_EQ(headers.find("DATE"), "first");
  EXPECT_EQ(headers.find("x-other"), "x");
  EXPECT_EQ(headers.find("Dat"), std::nullopt);
  EXPECT_EQ(headers.find("Date "), std::nullopt);
  EXPECT_EQ(headers.find(""), std::nullopt);
}

TEST(Headers, KeepsEveryFieldInTheOrderOfArrival) {
  Headers headers;
  EXPECT_TRUE(headers.empty());
  headers.add("Via", "1.1 a");
  headers.add("Age", "3");
  headers.add("VIA", "1.1 b");
  EXPECT_FALSE(headers.empty());
  EXPECT_THAT(headers.all("via"), ElementsAre("1.1 a", "1.1 b"));
  EXPECT_THAT(headers.all("none"), IsEmpty());
  EXPECT_EQ(headers.count("Via"), 2U);
  EXPECT_EQ(headers.count("none"), 0U);
  EXPECT_THAT(headers.fields(), ElementsAre(HeaderField{"Via", "1.1 a"}, HeaderField{"Age", "3"},
                                            HeaderField{"VIA", "1.1 b"}));
}

TEST(Headers, ComparesAsciiAlone) {
  // 'K' and U+212A KELVIN SIGN are one letter to Unicode's case folding, not to HTTP's.
  const Headers headers{{"K", "ascii"}, {"\xE2\x84\xAA", "kelvin"}};
  EXPECT_EQ(headers.find("k"), "ascii");
  EXPECT_EQ(headers.count("k"), 1U);
  // '[' and '{' differ by the case bit, and are no letters.
  EXPECT_EQ(Headers({{"[", "x"}}).find("{"), std::nullopt);
}

TEST(TransportFailure, HasANameOfItsOwnForEachKind) {
  using Kind = TransportFailure::Kind;
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(Kind::bad_request); ++kind) {
    names.insert(to_string(static_cast<Kind>(kind)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Kind::bad_request) + 1);
  EXPECT_EQ(to_string(Kind::dns), "dns");
  EXPECT_EQ(to_string(Kind::tls_time), "tls_time");
  EXPECT_EQ(to_string(Kind::bad_request), "bad_request");
}

}  // namespace
}  // namespace skewguard
