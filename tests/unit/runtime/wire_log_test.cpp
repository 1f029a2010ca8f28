#include "runtime/wire_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace skewguard::runtime {
namespace {

using ::testing::ElementsAre;

struct WireLogTest : ::testing::Test {
  std::vector<std::string> lines;

  void tell(const SendResult& result, LogLevel least) {
    const Log log([this](const LogLine& line) { lines.push_back(line.message); }, least);
    HttpRequest request;
    request.url = "https://api.example/x";
    request.authorization = Secret("Bearer token-of-forty-characters");
    WireLog(log, request).answer(result);
  }
  static Exchange answer() {
    Exchange exchange;
    exchange.status = 401;
    exchange.headers = {{"Date", "Thu, 01 Jan 2026 00:00:00 GMT"},
                        {"WWW-Authenticate", "Bearer error=\"bad\", got=token-of-forty-characters"},
                        {"Set-Cookie", "session=1"}};
    exchange.body = "x";
    exchange.received.boot = exchange.sent.boot + std::chrono::milliseconds{12};
    return exchange;
  }
};

TEST_F(WireLogTest, TellsTheStatusAtLevelDebug) {
  tell(answer(), LogLevel::debug);
  EXPECT_THAT(lines,
              ElementsAre("< 401 Unauthorized, 1 byte, after 12.0 ms; Date: Thu, 01 Jan 2026 "
                          "00:00:00 GMT"));
}

TEST_F(WireLogTest, TellsHeaderFieldsAtLevelTraceWithoutWhatIsSecretInThem) {
  tell(answer(), LogLevel::trace);
  ASSERT_EQ(lines.size(), 4U);
  lines.erase(lines.begin());
  EXPECT_THAT(lines, ElementsAre("< Date: Thu, 01 Jan 2026 00:00:00 GMT",
                                 "< WWW-Authenticate: Bearer error=\"bad\", got=***",
                                 "< Set-Cookie: (not shown)"));
}

TEST_F(WireLogTest, TellsWhyThereIsNoAnswer) {
  tell(TransportFailure{.kind = TransportFailure::Kind::dns, .detail = "no such name"},
       LogLevel::debug);
  EXPECT_THAT(lines, ElementsAre("no answer: no such name"));
}

TEST_F(WireLogTest, SaysNothingToALogThatTakesNoSuchLines) {
  tell(answer(), LogLevel::info);
  EXPECT_THAT(lines, ElementsAre());
}

}  // namespace
}  // namespace skewguard::runtime
