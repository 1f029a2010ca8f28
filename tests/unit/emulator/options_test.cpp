#include "emulator/options.hpp"

#include <gtest/gtest.h>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

TEST(EmulatorOptions, DefaultsAreOneClientAndTrueClocks) {
  const auto cloud = cloud_options({});
  ASSERT_TRUE(cloud);
  ASSERT_EQ(cloud->clients.size(), 1U);
  EXPECT_EQ(cloud->clients[0].id, "demo");
  EXPECT_TRUE(cloud->clients[0].accepts(Secret("demo-secret")));
  ASSERT_EQ(cloud->api_clocks.size(), 1U);
  EXPECT_EQ(cloud->api_clocks[0].offset, Duration{0});
  EXPECT_EQ(cloud->settings.token, TokenFormat::opaque);
  EXPECT_EQ(cloud->settings.lifetime, std::chrono::hours{24});
  EXPECT_FALSE(cloud->settings.strict_nbf);
}

TEST(EmulatorOptions, BackendsStandAtTheirOffsetPlusTheHosts) {
  Options options;
  options.api_offset = seconds{10};
  options.api_drift_ppm = 50;
  options.api_backends = {seconds{0}, milliseconds{400}, seconds{-3}};
  const auto cloud = cloud_options(options);
  ASSERT_TRUE(cloud);
  ASSERT_EQ(cloud->api_clocks.size(), 3U);
  EXPECT_EQ(cloud->api_clocks[1].offset, milliseconds{10'400});
  EXPECT_EQ(cloud->api_clocks[2].offset, seconds{7});
  EXPECT_EQ(cloud->api_clocks[2].drift_ppm, 50);
}

TEST(EmulatorOptions, HandsOnWhenTokensBecomeValid) {
  Options options;
  options.nbf_offset = -seconds{10};
  options.strict_iat = true;
  const auto cloud = cloud_options(options);
  ASSERT_TRUE(cloud);
  EXPECT_EQ(cloud->settings.nbf_offset, -seconds{10});
  EXPECT_FALSE(cloud->settings.strict_nbf);
  EXPECT_TRUE(cloud->settings.strict_iat);
}

TEST(EmulatorOptions, SecretsOfOneIdMakeOneClient) {
  Options options;
  options.clients = {{"a", Secret("1")}, {"b", Secret("2")}, {"a", Secret("3")}};
  options.user = "Ada";
  const auto cloud = cloud_options(options);
  ASSERT_TRUE(cloud);
  ASSERT_EQ(cloud->clients.size(), 2U);
  EXPECT_TRUE(cloud->clients[0].accepts(Secret("1")));
  EXPECT_TRUE(cloud->clients[0].accepts(Secret("3")));
  EXPECT_FALSE(cloud->clients[0].accepts(Secret("2")));
  EXPECT_EQ(cloud->clients[1].user, "Ada");
}

TEST(EmulatorOptions, NamesTheFlagThatAsksForTooMuch) {
  const auto complaint = [](auto change) {
    Options options;
    change(options);
    const auto cloud = cloud_options(options);
    return cloud ? std::string("none") : cloud.error().message;
  };
  EXPECT_TRUE(complaint([](Options& o) {
                o.login_offset = Duration::max();
              }).starts_with("--login-offset"));
  EXPECT_TRUE(
      complaint([](Options& o) { o.api_offset = Duration::min(); }).starts_with("--api-offset"));
  EXPECT_TRUE(complaint([](Options& o) {
                o.api_backends = {Duration::min()};
              }).starts_with("--api-backend"));
  EXPECT_TRUE(
      complaint([](Options& o) { o.api_backends.resize(101); }).starts_with("--api-backend"));
  EXPECT_TRUE(complaint([](Options& o) { o.login_drift_ppm = 1e6; }).starts_with("--login-drift"));
  EXPECT_TRUE(complaint([](Options& o) { o.lifetime = Duration{0}; }).starts_with("--lifetime"));
  EXPECT_TRUE(
      complaint([](Options& o) { o.nbf_offset = Duration::min(); }).starts_with("--nbf-offset"));
  EXPECT_TRUE(complaint([](Options& o) { o.latency.up = seconds{-1}; }).starts_with("--latency"));
  EXPECT_TRUE(
      complaint([](Options& o) { o.clients = {{"a:b", Secret("x")}}; }).starts_with("--client"));
}

TEST(EmulatorOptions, SplitsAClientAtTheFirstColon) {
  const auto client = parse_client("id:se:cret");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->first, "id");
  EXPECT_EQ(client->second.reveal(), "se:cret");
  for (const auto* text : {"", ":", "id", "id:", ":secret"})
    EXPECT_FALSE(parse_client(text)) << text;
}

TEST(EmulatorOptions, AComplaintAboutAClientDoesNotRepeatIt) {
  EXPECT_EQ(parse_client("hush").error().message.find("hush"), std::string::npos);
}

TEST(EmulatorOptions, SplitsLatencyInHalfOrAsAsked) {
  const auto halves = parse_latency("25ms");
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->up + halves->down, milliseconds{25});
  EXPECT_EQ(halves->up, std::chrono::microseconds{12'500});
  const auto split = parse_latency("15ms/0.5s");
  ASSERT_TRUE(split);
  EXPECT_EQ(split->up, milliseconds{15});
  EXPECT_EQ(split->down, milliseconds{500});
  for (const auto* text : {"", "-1s", "1s/", "/1s", "1s/-1s", "x", "1s/1s/1s"})
    EXPECT_FALSE(parse_latency(text)) << text;
}

TEST(EmulatorOptions, ReadsItsNames) {
  EXPECT_EQ(*parse_token_format("jwt"), TokenFormat::jwt);
  EXPECT_EQ(*parse_token_format("opaque"), TokenFormat::opaque);
  EXPECT_FALSE(parse_token_format("JWT"));
  EXPECT_EQ(*parse_backend_choice("connection"), BackendChoice::per_connection);
  EXPECT_FALSE(parse_backend_choice(""));
}

}  // namespace
}  // namespace skewguard::emulator
