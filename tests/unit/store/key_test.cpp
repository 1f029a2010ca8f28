#include "store/key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

namespace skewguard::store {
namespace {

ClientOptions identity() {
  ClientOptions options;
  options.login_url = "https://login.mypurecloud.ie";
  options.token_path = "/oauth/token";
  options.token_params = {{"resource", "urn:api"}};
  options.client_id = "my-client";
  options.client_secrets = {Secret("s3cret")};
  return options;
}

std::string key_of_first(const ClientOptions& options) {
  return key_of(options, options.client_secrets.front());
}

TEST(StoreKey, DiffersWithAllThatATokenBelongsTo) {
  const std::vector<std::function<void(ClientOptions&)>> changes = {
      [](ClientOptions&) {},
      [](ClientOptions& o) { o.client_secrets = {Secret("wrong")}; },
      [](ClientOptions& o) { o.client_id = "my-client2"; },
      [](ClientOptions& o) { o.login_url = "https://login.mypurecloud.de"; },
      [](ClientOptions& o) { o.token_path = "/token"; },
      [](ClientOptions& o) { o.token_params = {}; },
      [](ClientOptions& o) { o.token_params = {{"resource", "urn:apo"}}; },
      [](ClientOptions& o) { o.token_params = {{"resourceu", "rn:api"}}; },
  };
  std::set<std::string> keys;
  for (const auto& change : changes) {
    ClientOptions options = identity();
    change(options);
    keys.insert(key_of_first(options));
  }
  EXPECT_EQ(keys.size(), changes.size());
}

TEST(StoreKey, IsTheSameForTheSameIdentityWhateverElseIsSet) {
  ClientOptions other = identity();
  other.timeout = std::chrono::seconds{1};
  EXPECT_EQ(key_of_first(identity()), key_of_first(other));
}

TEST(StoreKey, IsAFileNameAndShowsNothing) {
  EXPECT_THAT(key_of_first(identity()), testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(key_of_first(identity()).size(), 64U);
}

}  // namespace
}  // namespace skewguard::store
