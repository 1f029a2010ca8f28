#include "net/probe_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "loop_fixture.hpp"
#include "scripted_server.hpp"

namespace skewguard::net {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_server::answer;
using testing_server::read_request;
using testing_server::Script;
using testing_server::ScriptedServer;
using testing_server::write;
using Kind = TransportFailure::Kind;

constexpr const char* kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

class ProbeLineTest : public testing::Test {
 protected:
  void make(const std::string& url, const std::string& method = "HEAD") {
    route_.emplace(
        ProbeRoute{dialer_, dialer_.route_to(http::parse_url(url).value()).value(), method});
    line_ = std::make_shared<ProbeLine>(*route_, "127.0.0.1");
  }
  void open() {
    line_->open(clock_.boot() + seconds{10}, [this](std::optional<TransportFailure> failure) {
      opened_.push_back(std::move(failure));
    });
    EXPECT_TRUE(opened_.empty()) << "the handler ran within open()";
    testing_loop::run_until(io_, [this] { return !opened_.empty(); });
  }
  void make_open(const ScriptedServer& server, const std::string& method = "HEAD") {
    make(server.url("/time"), method);
    open();
    ASSERT_FALSE(opened_.at(0)) << opened_.at(0)->detail;
  }
  void send() {
    line_->ask(clock_.boot() + seconds{10},
               [this](SendResult result) { answers_.push_back(std::move(result)); });
  }
  void ask() {
    const std::size_t before = answers_.size();
    send();
    EXPECT_EQ(answers_.size(), before) << "the handler ran within ask()";
    testing_loop::run_until(io_, [&] { return answers_.size() > before; });
  }
  [[nodiscard]] int status() const { return std::get<Exchange>(answers_.back()).status; }
  [[nodiscard]] const TransportFailure& failure() const {
    return std::get<TransportFailure>(answers_.back());
  }

  boost::asio::io_context io_;
  testing_loop::FakeClock clock_;
  std::shared_ptr<testing_loop::ManualTimers> timers_ =
      std::make_shared<testing_loop::ManualTimers>();
  Dialer dialer_{io_, clock_, {}, {}, {.timers = timers_, .lookup = {}}, ProxyRule{}};
  std::optional<ProbeRoute> route_;
  std::shared_ptr<ProbeLine> line_;
  std::vector<std::optional<TransportFailure>> opened_;
  std::vector<SendResult> answers_;
};

TEST_F(ProbeLineTest, ConnectsAheadAndAsksWithoutCredentials) {
  const ScriptedServer server(io_, {{read_request(), write(kNoContent)}});
  make_open(server);
  EXPECT_TRUE(line_->idle());
  EXPECT_NE(line_->id(), 0U);
  EXPECT_FALSE(line_->used() || line_->heard());
  EXPECT_TRUE(server.requests().empty());
  ask();
  EXPECT_EQ(status(), 204);
  EXPECT_TRUE(line_->used() && line_->heard() && line_->idle());
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(server.requests()[0], StartsWith("HEAD /time HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests()[0], Not(HasSubstr("uthorization")));
}

TEST_F(ProbeLineTest, KeepsItsConnectionForTheNextRequestOfAnyMethod) {
  const ScriptedServer server(
      io_, {{read_request(), write(kNoContent), read_request(), write(answer("now"))}});
  make_open(server);
  ask();
  const auto id = line_->id();
  route_->method = "GET";
  ask();
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(line_->id(), id);
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_THAT(server.requests().back(), StartsWith("GET "));
}

TEST_F(ProbeLineTest, IsClosedAfterAnAnswerThatEndsTheConnection) {
  const ScriptedServer server(
      io_, {{read_request(), write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")}});
  make_open(server);
  ask();
  EXPECT_EQ(status(), 204);
  EXPECT_TRUE(line_->closed());
  EXPECT_FALSE(line_->idle());
}

TEST_F(ProbeLineTest, NoticesThatTheServerClosedItMeanwhile) {
  const ScriptedServer server(io_, {{testing_server::close()}});
  make_open(server);
  testing_loop::run_until(io_, [&] { return server.finished() == 1; });
  EXPECT_FALSE(line_->idle());
  EXPECT_TRUE(line_->closed());
}

TEST_F(ProbeLineTest, ReportsThatNobodyListens) {
  std::string url;
  {
    const ScriptedServer server(io_, {});
    url = server.url();
  }
  testing_loop::run_ready(io_);
  make(url);
  open();
  ASSERT_TRUE(opened_.at(0));
  EXPECT_EQ(opened_[0]->kind, Kind::refused);
  EXPECT_TRUE(line_->closed());
}

TEST_F(ProbeLineTest, ReportsAConnectionThatEndsBeforeTheAnswer) {
  const ScriptedServer server(io_, {{read_request(), testing_server::close()}});
  make_open(server);
  ask();
  EXPECT_EQ(failure().kind, Kind::reset);
  EXPECT_THAT(failure().detail, StartsWith("127.0.0.1: "));
  EXPECT_TRUE(line_->closed());
  EXPECT_FALSE(line_->heard());
}

TEST_F(ProbeLineTest, WaitsForNoAnswerBeyondItsDeadline) {
  const ScriptedServer server(io_, {{read_request()}});
  make_open(server);
  send();
  testing_loop::run_until(io_, [&] { return server.requests().size() == 1; });
  clock_.advance(seconds{10});
  timers_->fire();
  testing_loop::run_ready(io_);
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(failure().kind, Kind::timeout);
  EXPECT_EQ(failure().detail, "127.0.0.1: no answer in time");
}

TEST_F(ProbeLineTest, ReadsABodyOf64KiBButNotOneByteMore) {
  constexpr std::size_t kLimit = std::size_t{64} * 1024;
  const ScriptedServer server(io_, {{read_request(), write(answer(std::string(kLimit, 'x'))),
                                     read_request(), write(answer(std::string(kLimit + 1, 'x')))}});
  make_open(server, "GET");
  ask();
  EXPECT_EQ(status(), 200);
  EXPECT_TRUE(line_->idle());
  ask();
  EXPECT_EQ(status(), 200) << "its head is all that a probe needs";
  EXPECT_TRUE(line_->closed());
}

TEST_F(ProbeLineTest, CallsNoHandlerOnceItIsClosedOrGone) {
  for (const bool gone : {false, true}) {
    const ScriptedServer server(io_, {{read_request(), write(kNoContent)}});
    opened_.clear();
    make_open(server);
    send();
    gone ? line_.reset() : line_->close();
    testing_loop::run_ready(io_);
    clock_.advance(seconds{10});
    timers_->fire();
    testing_loop::run_ready(io_);
    EXPECT_TRUE(answers_.empty()) << gone;
  }
}

TEST_F(ProbeLineTest, ClosedWhileItConnectsIsNotOpenedAnyMore) {
  const ScriptedServer server(io_, {{read_request()}});
  make(server.url());
  line_->open(clock_.boot() + seconds{10}, [this](const std::optional<TransportFailure>& failure) {
    opened_.push_back(failure);
  });
  line_->close();
  testing_loop::run_ready(io_);
  EXPECT_TRUE(opened_.empty());
}

}  // namespace
}  // namespace skewguard::net
