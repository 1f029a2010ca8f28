#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <string>

#include "loop_fixture.hpp"
#include "net/asio_transport.hpp"
#include "scripted_server.hpp"

namespace skewguard::net {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing_certificates::Identity;
using testing_certificates::key_file;
using testing_certificates::make;
using testing_certificates::pem_file;
using testing_server::answer;
using testing_server::read_request;
using testing_server::ScriptedServer;
using testing_server::write;

constexpr WallTime kNoon{std::chrono::sys_days{std::chrono::year{2026} / 3 / 14}};

/// A server that requires a certificate from its authority, in both versions of TLS.
class ClientCertificate : public testing::TestWithParam<int> {
 protected:
  static Identity authority(const std::string& name) {
    return make({.name = name,
                 .not_before = kNoon - days{1000},
                 .not_after = kNoon + days{1000},
                 .authority = true});
  }
  static Identity issued(const Identity& by, const std::string& name) {
    return make({.name = name,
                 .dns = {"localhost"},
                 .not_before = kNoon - days{10},
                 .not_after = kNoon + days{10}},
                &by);
  }
  std::string kept(std::string path) {
    files_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (const auto& file : files_) EXPECT_EQ(std::remove(file.c_str()), 0);
  }
  ClientIdentityFiles files(const std::vector<testing_certificates::Certificate>& chain,
                            const testing_certificates::Key& key) {
    return {kept(pem_file(chain)), kept(key_file(key))};
  }
  [[nodiscard]] ScriptedServer::Demand demand() const {
    return {ours_.certificate, kNoon, GetParam()};
  }

  SendResult get(const ScriptedServer& server, std::optional<ClientIdentityFiles> identity) {
    AsioTransport transport(io_, clock_,
                            {.ca_file = ca_file_, .client_identity = std::move(identity)}, {},
                            {.timers = timers_});
    HttpRequest request;
    request.url = server.url();
    std::optional<SendResult> result;
    transport.send(std::move(request), {.deadline = clock_.boot() + seconds{10}},
                   [&](SendResult came) { result = std::move(came); });
    testing_loop::run_until(io_, [&] { return result.has_value(); });
    return result ? *result : TransportFailure{};
  }
  TransportFailure failure_of(const ScriptedServer& server,
                              std::optional<ClientIdentityFiles> identity) {
    const auto result = get(server, std::move(identity));
    const auto* failure = std::get_if<TransportFailure>(&result);
    EXPECT_NE(failure, nullptr);
    return failure == nullptr ? TransportFailure{} : *failure;
  }

  boost::asio::io_context io_;
  testing_loop::FakeClock clock_;
  std::shared_ptr<testing_loop::ManualTimers> timers_ =
      std::make_shared<testing_loop::ManualTimers>();
  Identity ours_ = authority("Our Authority");
  Identity server_ = issued(ours_, "server");
  std::vector<std::string> files_;
  std::string ca_file_ = kept(pem_file({ours_.certificate}));
};

TEST_P(ClientCertificate, IsShownToAServerThatAsks) {
  const auto client = issued(ours_, "client");
  const ScriptedServer server(io_, {{read_request(), write(answer("hello"))}}, server_, demand());
  const auto result = get(server, files({client.certificate}, client.key));
  ASSERT_TRUE(std::holds_alternative<Exchange>(result))
      << std::get<TransportFailure>(result).detail;
  EXPECT_EQ(std::get<Exchange>(result).body, "hello");
}

TEST_P(ClientCertificate, ComesWithTheChainThatLeadsToTheAuthority) {
  const auto between = make({.name = "Between",
                             .not_before = kNoon - days{100},
                             .not_after = kNoon + days{100},
                             .authority = true},
                            &ours_);
  const auto client = issued(between, "client");
  const ScriptedServer server(io_, {{read_request(), write(answer("hello"))}, {}}, server_,
                              demand());
  const auto result = get(server, files({client.certificate, between.certificate}, client.key));
  EXPECT_TRUE(std::holds_alternative<Exchange>(result));
  failure_of(server, files({client.certificate}, client.key));
}

TEST_P(ClientCertificate, OneThatTheServerRefusesIsNamed) {
  const auto theirs = authority("Their Authority");
  const auto stranger = issued(theirs, "stranger");
  const ScriptedServer server(io_, {{}}, server_, demand());
  const auto files = this->files({stranger.certificate}, stranger.key);
  const auto failure = failure_of(server, files);
  EXPECT_EQ(failure.kind, TransportFailure::Kind::tls_failed) << failure.detail;
  EXPECT_THAT(failure.detail, AllOf(HasSubstr("localhost:" + std::to_string(server.port())),
                                    HasSubstr("unknown ca"), HasSubstr("client certificate"),
                                    HasSubstr(files.certificate)));
}

TEST_P(ClientCertificate, OneThatIsMissingIsSaidToBe) {
  const ScriptedServer server(io_, {{}}, server_, demand());
  const auto failure = failure_of(server, std::nullopt);
  EXPECT_EQ(failure.kind, TransportFailure::Kind::tls_failed) << failure.detail;
  EXPECT_THAT(failure.detail, HasSubstr("requested a client certificate, and none is set"));
}

TEST_P(ClientCertificate, ARefusalBeforeTheRequestIsSentIsReportedAsOne) {
  boost::asio::io_context elsewhere;  // the server has its say whenever the client reads the clock
  const ScriptedServer server(elsewhere, {{}}, server_, demand());
  clock_.on_read = [&] { elsewhere.poll(); };
  AsioTransport transport(io_, clock_, {.ca_file = ca_file_}, {}, {.timers = timers_});
  HttpRequest request;
  request.method = "POST";
  request.url = server.url();
  std::optional<SendResult> result;
  transport.send(std::move(request), {.deadline = clock_.boot() + seconds{10}},
                 [&](SendResult came) { result = std::move(came); });
  while (!result) {
    elsewhere.poll();
    io_.restart();
    io_.poll_one();
  }
  const auto& failure = std::get<TransportFailure>(*result);
  EXPECT_EQ(failure.kind, TransportFailure::Kind::tls_failed) << failure.detail;
  EXPECT_THAT(failure.detail, HasSubstr("requested a client certificate, and none is set"));
  EXPECT_FALSE(failure.request_sent);
}

TEST_P(ClientCertificate, IsNotSpokenOfWhereNobodyAsked) {
  const auto client = issued(ours_, "client");
  const ScriptedServer server(io_, {{read_request(), write(answer("hello"))}}, &server_);
  const auto identity = files({client.certificate}, client.key);
  EXPECT_TRUE(std::holds_alternative<Exchange>(get(server, identity)));
  const ScriptedServer plain(io_, {{testing_server::close()}});
  AsioTransport transport(io_, clock_, {.ca_file = ca_file_, .client_identity = identity}, {},
                          {.timers = timers_});
  HttpRequest request;
  request.url = "https://localhost:" + std::to_string(plain.port()) + "/";
  std::optional<SendResult> result;
  transport.send(std::move(request), {.deadline = clock_.boot() + seconds{10}},
                 [&](SendResult came) { result = std::move(came); });
  testing_loop::run_until(io_, [&] { return result.has_value(); });
  EXPECT_THAT(std::get<TransportFailure>(*result).detail,
              testing::Not(HasSubstr("client certificate")));
}

INSTANTIATE_TEST_SUITE_P(Tls, ClientCertificate, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Version12" : "Version13";
                         });

TEST(ClientCertificateFiles, ThatCannotBeUsedFailTheRequestBeforeItIsSent) {
  boost::asio::io_context io;
  testing_loop::FakeClock clock;
  const ScriptedServer server(io, {{}});
  AsioTransport transport(io, clock, {.client_identity = {{"/nowhere/c.pem", "/nowhere/k.pem"}}});
  HttpRequest request;
  request.url = "https://localhost:" + std::to_string(server.port()) + "/";
  std::optional<SendResult> result;
  transport.send(std::move(request), {.deadline = clock.boot() + seconds{10}},
                 [&](SendResult came) { result = std::move(came); });
  testing_loop::run_until(io, [&] { return result.has_value(); });
  EXPECT_EQ(std::get<TransportFailure>(*result).kind, TransportFailure::Kind::bad_request);
  EXPECT_THAT(std::get<TransportFailure>(*result).detail, HasSubstr("/nowhere/c.pem"));
}

}  // namespace
}  // namespace skewguard::net
