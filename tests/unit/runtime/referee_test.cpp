// The real referee: NTP servers on the loopback address, Dates by a transport of the test's.
#include "runtime/referee.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../net/loop_fixture.hpp"
#include "../net/ntp_server.hpp"
#include "time/http_date.hpp"

namespace skewguard::runtime {
namespace {

using namespace std::chrono_literals;
using clocks::testing::SntpAnswerOf;
using net::testing_ntp::NtpServer;
using net::testing_ntp::SntpPackets;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RealRefereeTest : public ::testing::Test {
 protected:
  /// Keeps what is sent, for the test to answer.
  class Plain final : public Transport {
   public:
    Ticket send(HttpRequest request, const SendOptions& /*options*/, Handler handler) override {
      urls.push_back(request.method + " " + request.url);
      bare = bare && request.authorization.empty() && request.body.empty();
      handlers.push_back(std::move(handler));
      return handlers.size();
    }
    void cancel(Ticket ticket) override { cancelled.push_back(ticket); }
    std::vector<std::string> urls;
    bool bare = true;  ///< without credentials
    std::vector<Handler> handlers;
    std::vector<Ticket> cancelled;
  };

  RealRefereeTest() {
    options_.login_url = "https://login.example.com";
    options_.api_url = "https://api.example.com";
    options_.ntp.emplace();
  }
  /// An NTP server whose clock is `ahead` of the wall clock.
  NtpServer& ntp(Duration ahead = 0s) {
    NtpServer& server = add_ntp();
    server.answers = [this, ahead](std::uint64_t nonce) {
      const Duration clock = clock_.now().wall.time_since_epoch() + ahead;
      return SntpPackets{SntpAnswerOf{.nonce = nonce, .came = clock, .went = clock}};
    };
    return server;
  }
  /// One that refuses to serve.
  void unwilling_ntp() {
    add_ntp().answers = [](std::uint64_t nonce) {
      clocks::testing::SntpPacket packet = SntpAnswerOf{.nonce = nonce, .stratum = 0};
      std::ranges::copy(std::string_view("DENY"), packet.begin() + 12);
      return SntpPackets{packet};
    };
  }
  void ask() {
    referee_ = real_referee(options_, clock_, plain_, io_.get_executor());
    ASSERT_NE(referee_, nullptr);
    referee_->ask(clock_.boot() + 5s, [this](std::optional<TimeReport> report) {
      reports_.push_back(std::move(report));
    });
    EXPECT_TRUE(reports_.empty()) << "the handler ran within ask()";
  }
  void wait() {
    net::testing_loop::run_until(io_, [this] { return !reports_.empty(); });
  }
  void run_until_asked() {
    net::testing_loop::run_until(io_, [this] {
      return std::ranges::all_of(servers_,
                                 [](const auto& each) { return !each->requests.empty(); });
    });
    for (int i = 0; i < 10; ++i) net::testing_loop::run_ready(io_);
  }
  /// The n-th host answers by a clock that is `ahead` of the wall clock.
  void date(std::size_t n, Duration ahead) {
    Exchange exchange;
    exchange.status = 301;
    exchange.sent = exchange.received = clock_.now();
    exchange.headers.add("Date", time::format_http_date(std::chrono::floor<std::chrono::seconds>(
                                     clock_.now().wall.time_since_epoch() + ahead)));
    plain_.handlers.at(n)(std::move(exchange));
  }
  [[nodiscard]] const TimeReport& report() const { return reports_.at(0).value(); }
  [[nodiscard]] bool reports(Duration truth) const {
    return reports_.size() == 1 && reports_[0] && reports_[0]->offset.low <= truth &&
           truth <= reports_[0]->offset.high;
  }

  boost::asio::io_context io_;
  net::testing_loop::FakeClock clock_;
  Plain plain_;
  ClientOptions options_;
  std::vector<std::unique_ptr<NtpServer>> servers_;
  std::unique_ptr<Referee> referee_;
  std::vector<std::optional<TimeReport>> reports_;

 private:
  NtpServer& add_ntp() {
    servers_.push_back(std::make_unique<NtpServer>(io_));
    options_.ntp->push_back(servers_.back()->name());
    return *servers_.back();
  }
};

TEST_F(RealRefereeTest, IsThereOnlyIfSomebodyMayBeAsked) {
  EXPECT_EQ(real_referee(options_, clock_, plain_, io_.get_executor()), nullptr);
}

TEST_F(RealRefereeTest, TellsWhatMostNtpServersAgreeOn) {
  ntp(100ms);
  ntp(1h);
  ntp(100ms);
  ask();
  wait();
  EXPECT_TRUE(reports(100ms));
  EXPECT_EQ(report().servers, 2U);
  EXPECT_THAT(report().source, HasSubstr("NTP (127.0.0.1"));
}

TEST_F(RealRefereeTest, WaitsUntilTheRestCannotOutvoteThoseThatAgree) {
  ntp(1h);
  ntp().answers = [](std::uint64_t) { return SntpPackets{}; };  // it is silent
  ask();
  run_until_asked();
  EXPECT_TRUE(reports_.empty());
}

TEST_F(RealRefereeTest, CountsNoServerTwice) {
  const std::string name = ntp(1h).name();
  options_.ntp->push_back(name);
  ntp(0s).answers = [](std::uint64_t) { return SntpPackets{}; };
  ask();
  run_until_asked();
  EXPECT_TRUE(reports_.empty()) << "one against one that is yet to answer";
}

TEST_F(RealRefereeTest, BelievesNtpRatherThanADate) {
  ntp();
  ask();
  date(0, 1h);
  date(1, 1h);
  wait();
  EXPECT_TRUE(reports(0s));
  EXPECT_THAT(report().source, HasSubstr("NTP"));
}

TEST_F(RealRefereeTest, AsksBothHostsOverPlainHttpWithoutCredentials) {
  options_.access_token = Secret("secret");
  unwilling_ntp();
  ask();
  EXPECT_THAT(plain_.urls,
              ElementsAre("HEAD http://login.example.com/", "HEAD http://api.example.com/"));
  EXPECT_TRUE(plain_.bare);
}

TEST_F(RealRefereeTest, AsksAHostOnceAndNoneThatHasNoTls) {
  options_.api_url = "https://login.example.com/api";
  unwilling_ntp();
  ask();
  EXPECT_EQ(plain_.urls.size(), 1U);
  options_.api_url = "http://127.0.0.1";
  ask();
  EXPECT_EQ(plain_.urls.size(), 2U);
}

TEST_F(RealRefereeTest, TellsADateWhereNtpTellsNothing) {
  unwilling_ntp();
  ask();
  date(0, 1h);
  plain_.handlers.at(1)(TransportFailure{});
  wait();
  EXPECT_TRUE(reports(1h));
  EXPECT_EQ(report().source, "the Date of http://login.example.com");
  EXPECT_EQ(report().servers, 1U);
}

TEST_F(RealRefereeTest, TellsNothingWhereTwoDatesContradictEachOther) {
  unwilling_ntp();
  ask();
  date(0, 1h);
  date(1, 2h);
  wait();
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_FALSE(reports_[0]);
}

TEST_F(RealRefereeTest, TellsNothingWhereNobodyAnswers) {
  unwilling_ntp();
  ask();
  for (const auto& handler : plain_.handlers) handler(TransportFailure{});
  wait();
  EXPECT_FALSE(reports_.at(0));
}

TEST_F(RealRefereeTest, TellsOnceAndCancelsWhatIsStillOpen) {
  ntp();
  ask();
  date(1, 0s);
  wait();
  EXPECT_THAT(plain_.cancelled, ElementsAre(1U));
  date(0, 0s);
  net::testing_loop::run_ready(io_);
  EXPECT_EQ(reports_.size(), 1U);
}

TEST_F(RealRefereeTest, IsSilentOnceItIsGone) {
  ntp();
  ask();
  referee_.reset();
  date(0, 0s);
  net::testing_loop::run_ready(io_);
  EXPECT_TRUE(reports_.empty());
  EXPECT_THAT(plain_.cancelled, ElementsAre(1U, 2U));
}

}  // namespace
}  // namespace skewguard::runtime
