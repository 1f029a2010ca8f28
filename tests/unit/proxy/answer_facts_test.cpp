#include "proxy/answer_facts.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "client_fixture.hpp"
#include "time/http_date.hpp"

namespace skewguard::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Observer : public WithClient {
 protected:
  Observer() { EXPECT_TRUE(client->await_lease()); }

  /// The answer to a request with the first token, which took 100 ms, dated by a clock that is
  /// right.
  void answer(int status) {
    Arrival arrival{.connection = 7};
    arrival.sent = environment.machine().now();
    environment.machine().advance(milliseconds{100});
    arrival.received = environment.machine().now();
    const auto date = std::chrono::floor<seconds>(environment.machine().true_time());
    const std::string text =
        "HTTP/1.1 " + std::to_string(status) +
        " X\r\nContent-Length: 0\r\nDate: " + time::format_http_date(date.time_since_epoch()) +
        "\r\n\r\n";
    relay::AnswerReader reader;
    ASSERT_EQ(reader.read(text), relay::ReadHead::whole);
    observer.saw(1, reader.head(), arrival);
    environment.machine().run();
  }
  [[nodiscard]] bool accepted() { return client->status().value().token->accepted; }
  /// Of the API's clock.
  [[nodiscard]] std::size_t samples() { return client->status().value().clocks.at(1).samples; }

  AnswerObserver observer{*client};
};

TEST_F(Observer, TellsThatATokenWasAcceptedAndWhatTheDateSays) {
  answer(200);
  EXPECT_TRUE(accepted());
  EXPECT_EQ(samples(), 1U);
}

TEST_F(Observer, TellsADateOfGoodAnswersFourTimesASecondAtMost) {
  for (int i = 0; i < 20; ++i) answer(200);  // two seconds
  EXPECT_GE(samples(), 4U);
  EXPECT_LE(samples(), 8U);
}

TEST_F(Observer, TellsEachDateOfOtherAnswers) {
  answer(200);
  for (int i = 0; i < 5; ++i) answer(404);
  EXPECT_EQ(samples(), 6U);
}

TEST_F(Observer, DoesNotTakeARefusalForAnAcceptance) {
  answer(401);
  EXPECT_FALSE(accepted());
  EXPECT_EQ(samples(), 0U) << "the engine gets this answer to judge it";
}

TEST(AnswerHeadOf, HasWhatTheEngineJudgesAnAnswerBy) {
  relay::AnswerReader reader;
  ASSERT_EQ(reader.read("HTTP/1.1 401 X\r\nA: b\r\nContent-Length: 0\r\n\r\n"),
            relay::ReadHead::whole);
  Arrival arrival{.connection = 7, .early = true};
  arrival.sent.boot = Instant{seconds{1}};
  arrival.received.boot = Instant{seconds{2}};
  const AnswerHead head = answer_head(reader.head(), arrival);
  EXPECT_EQ(head.status, 401);
  EXPECT_EQ(head.headers.find("a"), "b");
  EXPECT_EQ(head.connection, 7U);
  EXPECT_EQ(head.sent.boot, arrival.sent.boot);
  EXPECT_EQ(head.received.boot, arrival.received.boot);
  EXPECT_TRUE(head.early);
}

}  // namespace
}  // namespace skewguard::proxy
