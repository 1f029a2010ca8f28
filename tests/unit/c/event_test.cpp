// What hooks are told, through the C functions, on virtual time.
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "c_testing.hpp"

namespace skewguard::c {
namespace {

using CEvent = std::unique_ptr<skewguard_event, Freer<skewguard_event_free>>;

std::string text(const CEvent& event, int which) {
  return skewguard_event_text_of(event.get(), which);
}

class CEvents : public ::testing::Test {
 protected:
  CEvent next() { return CEvent(skewguard_event_next(client.client.get())); }
  /// A call whose first token is refused.
  void meet_a_rejection() {
    client.accept_token();
    const auto call = client.guard();
    client.next(call);
    client.environment.revoke_all();
    client.answer(call, 401);
    client.next(call);
    client.answer(call, 200);
    client.next(call);
  }
  VirtualClient client;
};

TEST_F(CEvents, TellOfARejectionAndOfTheCallThatMetIt) {
  skewguard_listen(client.client.get(), SKEWGUARD_EVENT_REJECTION | SKEWGUARD_EVENT_RESOLVED,
                   SKEWGUARD_INFO, nullptr, 0);
  meet_a_rejection();
  const auto rejection = next();
  ASSERT_TRUE(rejection);
  EXPECT_EQ(skewguard_event_kind_of(rejection.get()), SKEWGUARD_EVENT_REJECTION);
  EXPECT_EQ(skewguard_event_level(rejection.get()), SKEWGUARD_WARN);
  EXPECT_EQ(skewguard_event_level(nullptr), SKEWGUARD_TRACE);
  EXPECT_EQ(skewguard_event_dropped(rejection.get()), 0U);
  EXPECT_NE(text(rejection, SKEWGUARD_EVENT_MESSAGE), "");
  EXPECT_NE(text(rejection, SKEWGUARD_EVENT_VERDICT), "");
  EXPECT_EQ(text(rejection, SKEWGUARD_EVENT_SERVER), "https://api.test");
  const auto attempt = nlohmann::json::parse(text(rejection, SKEWGUARD_EVENT_REPORT));
  EXPECT_EQ(attempt.at("n"), 1);
  EXPECT_EQ(attempt.at("host"), "api");
  EXPECT_EQ(attempt.at("http_status"), 401);
  EXPECT_EQ(attempt.at("verdict"), text(rejection, SKEWGUARD_EVENT_VERDICT));
  EXPECT_EQ(attempt.at("explanation"), text(rejection, SKEWGUARD_EVENT_MESSAGE));
  const auto resolved = next();
  ASSERT_TRUE(resolved);
  EXPECT_EQ(skewguard_event_kind_of(resolved.get()), SKEWGUARD_EVENT_RESOLVED);
  EXPECT_EQ(text(resolved, SKEWGUARD_EVENT_MESSAGE),
            "GET https://api.test/x succeeded after " + text(resolved, SKEWGUARD_EVENT_VERDICT));
  EXPECT_NE(text(resolved, SKEWGUARD_EVENT_REPORT).find("skewguard.report/1"), std::string::npos);
  EXPECT_FALSE(next());
}

TEST_F(CEvents, LogLinesComeFromTheLevelAskedFor) {
  skewguard_listen(client.client.get(), SKEWGUARD_EVENT_LOG, SKEWGUARD_DEBUG, nullptr, 0);
  client.accept_token();
  bool debug = false;
  while (const auto event = next()) {
    EXPECT_EQ(skewguard_event_kind_of(event.get()), SKEWGUARD_EVENT_LOG);
    EXPECT_GE(skewguard_event_level(event.get()), SKEWGUARD_DEBUG);
    EXPECT_EQ(text(event, SKEWGUARD_EVENT_REPORT), "");
    EXPECT_EQ(text(event, SKEWGUARD_EVENT_MESSAGE).find("token-1"), std::string::npos);
    debug = debug || skewguard_event_level(event.get()) == SKEWGUARD_DEBUG;
  }
  EXPECT_TRUE(debug);
  skewguard_listen(client.client.get(), SKEWGUARD_EVENT_LOG, SKEWGUARD_CRITICAL, nullptr, 0);
  client.accept_token();
  EXPECT_FALSE(next());
}

TEST_F(CEvents, WarningsAreKeptFromTheBeginning) {
  meet_a_rejection();
  const auto event = next();
  ASSERT_TRUE(event);
  EXPECT_EQ(skewguard_event_kind_of(event.get()), SKEWGUARD_EVENT_LOG);
  EXPECT_GE(skewguard_event_level(event.get()), SKEWGUARD_WARN);
}

TEST_F(CEvents, TheQueueIsToldOnceUntilNobodyHasAskedInVain) {
  const CQueue queue(skewguard_queue_new(nullptr));
  std::uint64_t tag = 0;
  const auto told = [&] { return skewguard_queue_pop(queue.get(), &tag, 1); };
  skewguard_listen(client.client.get(), SKEWGUARD_EVENT_LOG, SKEWGUARD_DEBUG, queue.get(), 7);
  EXPECT_EQ(told(), 0U);
  meet_a_rejection();
  EXPECT_EQ(told(), 1U);
  EXPECT_EQ(tag, 7U);
  meet_a_rejection();
  EXPECT_EQ(told(), 0U);
  while (next()) continue;
  meet_a_rejection();
  EXPECT_EQ(told(), 1U);
  skewguard_listen(client.client.get(), SKEWGUARD_EVENT_LOG, SKEWGUARD_DEBUG, queue.get(), 8);
  EXPECT_EQ(told(), 1U) << "at once: there are some now";
  EXPECT_EQ(tag, 8U);
  skewguard_listen(client.client.get(), 0, SKEWGUARD_DEBUG, nullptr, 0);
  EXPECT_FALSE(next()) << "those that were there are dropped";
}

TEST_F(CEvents, AClientThatIsFreedTakesItsTagAlong) {
  const CQueue queue(skewguard_queue_new(nullptr));
  skewguard_listen(client.client.get(), SKEWGUARD_EVENT_LOG, SKEWGUARD_DEBUG, queue.get(), 7);
  client.accept_token();
  client.client.reset();
  client.machine().run();
  std::uint64_t tag = 0;
  EXPECT_EQ(skewguard_queue_pop(queue.get(), &tag, 1), 0U);
}

TEST(CEventsWithout, NothingHappens) {
  skewguard_listen(nullptr, SKEWGUARD_EVENT_LOG, SKEWGUARD_INFO, nullptr, 0);
  EXPECT_EQ(skewguard_event_next(nullptr), nullptr);
  EXPECT_EQ(skewguard_event_kind_of(nullptr), 0);
  EXPECT_EQ(skewguard_event_dropped(nullptr), 0U);
  EXPECT_STREQ(skewguard_event_text_of(nullptr, SKEWGUARD_EVENT_MESSAGE), "");
  skewguard_event_free(nullptr);
}

}  // namespace
}  // namespace skewguard::c
