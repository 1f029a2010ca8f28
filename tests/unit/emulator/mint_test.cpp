#include "emulator/mint.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "emulator/encoding.hpp"
#include "emulator/tokens.hpp"
#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

TEST(EmulatorMint, OpaqueTokensAre86UrlSafeCharactersWithoutDots) {
  Mint mint(1);
  const auto token = mint.opaque_token();
  EXPECT_EQ(token.size(), 86U);
  EXPECT_EQ(token.reveal().find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                             "0123456789-_"),
            std::string_view::npos);
}

TEST(EmulatorMint, RepeatsFromItsSeedAndNeverWithinIt) {
  Mint a(1);
  Mint b(1);
  Mint c(2);
  const auto first = a.opaque_token();
  EXPECT_EQ(first.reveal(), b.opaque_token().reveal());
  EXPECT_NE(first.reveal(), c.opaque_token().reveal());
  EXPECT_NE(first.reveal(), a.opaque_token().reveal());
}

TEST(EmulatorMint, UuidsHaveVersionAndVariant) {
  Mint mint(1);
  const auto id = mint.uuid();
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_NE(id, mint.uuid());
  EXPECT_EQ(Mint::uuid_of("user", "Ada"), Mint::uuid_of("user", "Ada"));
  EXPECT_NE(Mint::uuid_of("user", "Ada"), Mint::uuid_of("role", "Ada"));
}

/// The fixed parts, base64url by hand: {"alg":"HS256","typ":"JWT"} (RFC 7515, A.1's header has
/// them in the other order).
TEST(EmulatorMint, WritesAJwtOfThreeParts) {
  const Mint mint(1);
  const auto token = mint.jwt(
      {"https://login", "demo", "id-1", seconds{1000}, seconds{990}, milliseconds{1301'500}});
  const std::string text(token.reveal());
  EXPECT_TRUE(text.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '.'), 2);
  EXPECT_EQ(text.size() - text.rfind('.') - 1, 43U);  // 32 bytes
  EXPECT_NE(text.find(base64url(R"({"client_id":"demo","exp":1301.5,"iat":1000,)"
                                R"("iss":"https://login","jti":"id-1","nbf":990,"sub":"demo"})")),
            std::string::npos);
}

TokenRecord record(std::string client) {
  TokenRecord out;
  out.client = std::move(client);
  out.nbf = seconds{100};
  out.iat = seconds{110};
  out.ends = seconds{400};
  return out;
}

TEST(EmulatorTokens, AreJudgedByTheDateOfTheAnswer) {
  const auto token = record("demo");
  const Checks nbf{.nbf = true};
  EXPECT_EQ(standing(token, seconds{99}, nbf), Standing::not_yet_valid);
  EXPECT_EQ(standing(token, seconds{99}), Standing::good);
  EXPECT_EQ(standing(token, seconds{100}, nbf), Standing::good);
  EXPECT_EQ(standing(token, seconds{399}, nbf), Standing::good);
  EXPECT_EQ(standing(token, seconds{400}, nbf), Standing::expired);
  const Checks iat{.iat = true};
  EXPECT_EQ(standing(token, seconds{109}, iat), Standing::not_yet_valid);
  EXPECT_EQ(standing(token, seconds{110}, iat), Standing::good);
}

TEST(EmulatorTokens, AreFoundByValueAndByNumber) {
  TokenTable table;
  EXPECT_EQ(table.by_number(1), nullptr);
  table.add(Secret("a"), record("x"));
  table.add(Secret("b"), record("y"));
  ASSERT_NE(table.find("b"), nullptr);
  EXPECT_EQ(table.find("b")->n, 2U);
  EXPECT_EQ(table.by_number(2), table.find("b"));
  EXPECT_EQ(table.by_number(0), nullptr);
  EXPECT_EQ(table.by_number(3), nullptr);
  EXPECT_EQ(table.find("c"), nullptr);
}

TEST(EmulatorTokens, RevokesOneClientOrAllAndSaysHowMany) {
  TokenTable table;
  for (const auto* value : {"a", "b", "c"})
    table.add(Secret(value), record(value == std::string("c") ? "y" : "x"));
  EXPECT_EQ(table.revoke_client("x"), 2U);
  EXPECT_FALSE(table.find("c")->revoked);
  EXPECT_EQ(table.revoke_all(), 1U);
  EXPECT_EQ(table.revoke_all(), 0U);
}

TEST(EmulatorTokens, ForgetsTheOldestAtItsLimit) {
  TokenTable table;
  for (std::size_t i = 0; i <= TokenTable::kMaxTokens; ++i)
    table.add(Secret(std::to_string(i)), {});
  EXPECT_EQ(table.find("0"), nullptr);
  EXPECT_EQ(table.by_number(1), nullptr);
  ASSERT_NE(table.find("1"), nullptr);
  EXPECT_EQ(table.find("1"), table.by_number(2));
  EXPECT_EQ(table.newest(3).front()->n, TokenTable::kMaxTokens - 1);
}

}  // namespace
}  // namespace skewguard::emulator
