#include <gtest/gtest.h>

#include <string>

#include "emulator/transfer.hpp"
#include "server_fixture.hpp"

namespace skewguard::emulator {
namespace {

class Streaming : public EmulatorServer {
 protected:
  void SetUp() override {
    start();
    token_ = token();
  }
  /// The head of an upload up to its framing.
  [[nodiscard]] std::string head(const std::string& fields, const std::string& query = "") const {
    return "POST " + std::string(kUploadPath) + query +
           " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token_ + "\r\n" + fields + "\r\n";
  }
  [[nodiscard]] std::string upload(const std::string& body, const std::string& query = "") const {
    return head("Content-Length: " + std::to_string(body.size()) + "\r\n", query) + body;
  }
  [[nodiscard]] std::string download(const std::string& query) const {
    return get(std::string(kDownloadPath) + "?" + query, token_);
  }
  json stats() {
    return json::parse(
        Wire(emulator_->login_url()).ask("GET /emulator/stats HTTP/1.1\r\nHost: h\r\n\r\n").body);
  }

  std::string token_;
};

std::string expected(std::size_t size) {
  std::string text(size, '\0');
  fill_download(0, text.data(), size);
  return text;
}

TEST_F(Streaming, ReadsAnUploadOverTheLimitOfOtherBodies) {
  const std::string body(std::size_t{3} * 1024 * 1024, 'u');
  Wire wire(emulator_->api_url());
  const auto answer = wire.ask(upload(body));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(json::parse(answer.body)["bytes"], body.size());
  EXPECT_EQ(json::parse(answer.body)["sha256"], hex(sha256(body)));
  EXPECT_EQ(wire.ask(get("/api/v2/tokens/me", token_)).status(), 200);
}

TEST_F(Streaming, ReadsAnUploadInChunksAfterAContinue) {
  Wire wire(emulator_->api_url());
  wire.send(head("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(wire.read(false).status(), 100);
  const auto answer = wire.ask("6\r\nupload\r\n3\r\ned!\r\n0\r\n\r\n");
  EXPECT_EQ(json::parse(answer.body)["bytes"], 9);
  EXPECT_EQ(json::parse(answer.body)["sha256"], hex(sha256("uploaded!")));
}

TEST_F(Streaming, ReadsAnUploadAtTheAskedPace) {
  const auto before = std::chrono::steady_clock::now();
  const auto answer =
      Wire(emulator_->api_url()).ask(upload(std::string(40'000, 'x'), "?piece=5000&pause=2ms"));
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds{8});
  EXPECT_EQ(json::parse(answer.body)["bytes"], 40'000);
}

TEST_F(Streaming, SendsADownloadOfAnyLength) {
  Wire wire(emulator_->api_url());
  const auto answer = wire.ask(download("bytes=300000"));
  EXPECT_EQ(answer.body, expected(300'000));
  EXPECT_EQ(wire.ask(download("bytes=0")).body, "");
  wire.send(get(std::string(kDownloadPath) + "?bytes=9", token_, "HEAD"));
  EXPECT_EQ(wire.read(false).status(), 200);
  EXPECT_EQ(wire.ask(get("/api/v2/tokens/me", token_)).status(), 200);
}

TEST_F(Streaming, SendsADownloadInChunksAndContinues) {
  Wire wire(emulator_->api_url());
  wire.send(download("bytes=300&framing=chunked&piece=256") +
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto bytes = wire.rest().first;
  EXPECT_NE(bytes.find("\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n" + expected(256) +
                       "\r\n2c\r\n" + expected(300).substr(256) + "\r\n0\r\n\r\nHTTP/1.1 401 "),
            std::string::npos)
      << bytes;
}

TEST_F(Streaming, SendsADownloadThatTheEndOfTheConnectionEnds) {
  Wire wire(emulator_->api_url());
  wire.send(download("bytes=10&framing=close"));
  const auto bytes = wire.rest().first;
  EXPECT_TRUE(bytes.ends_with("\r\n\r\n" + expected(10))) << bytes;
  EXPECT_NE(bytes.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(bytes.find("Content-Length"), std::string::npos);
}

TEST_F(Streaming, SendsNoChunksToHttp10) {
  Wire wire(emulator_->api_url());
  wire.send("GET " + std::string(kDownloadPath) + "?bytes=10&framing=chunked HTTP/1.0\r\n" +
            "Authorization: Bearer " + token_ + "\r\n\r\n");
  const auto bytes = wire.rest().first;
  EXPECT_TRUE(bytes.ends_with("\r\n\r\n" + expected(10))) << bytes;
}

TEST_F(Streaming, AnswersEarlyAndReadsNoFurtherRequest) {
  fault(R"({"host":"api","path":"/api/v2/emulator/upload","early":5,"status":413,"times":1})");
  Wire wire(emulator_->api_url());
  const auto start = head("Content-Length: 1000000\r\n");
  wire.send(start + "1234");
  EXPECT_TRUE(wire.silent());
  wire.send("5");
  const auto answer = wire.read();
  EXPECT_EQ(answer.status(), 413);
  EXPECT_NE(answer.head.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_TRUE(wire.closed());
  const auto record = stats()["recent"].back();
  EXPECT_EQ(record["body_length"], 5);
  EXPECT_EQ(record["faults"], (json{"status", "early"}));
  EXPECT_EQ(Wire(emulator_->api_url()).ask(upload("12345678")).status(), 200);
}

TEST_F(Streaming, AnswersEarlyInPlaceOfAContinue) {
  fault(R"({"host":"api","early":0,"status":417,"times":1})");
  Wire wire(emulator_->api_url());
  EXPECT_EQ(wire.ask(head("Content-Length: 10\r\nExpect: 100-continue\r\n")).status(), 417);
}

TEST_F(Streaming, AnEarlyAnswerWaitsForAShorterBodyOnlyToItsEnd) {
  fault(R"({"host":"api","early":100,"status":413,"times":1})");
  Wire wire(emulator_->api_url());
  EXPECT_EQ(wire.ask(upload("short")).status(), 413);
  EXPECT_EQ(wire.ask(upload("short")).status(), 200);  // nothing was left unread
}

TEST_F(Streaming, ControlRequestsAreNeverAnsweredEarly) {
  fault(R"({"host":"login","early":0,"status":500})");
  fault(R"({"clear":true})");
  EXPECT_EQ(token().size(), 86U);
}

TEST_F(Streaming, CutsAnAnswerAfterAnyOfItsBytes) {
  for (const std::size_t end : {0U, 1U, 17U, 400U}) {
    fault(R"({"host":"api","wire":"cut","answer_byte":)" + std::to_string(end) + R"(,"times":1})");
    Wire wire(emulator_->api_url());
    wire.send(download("bytes=1000"));
    EXPECT_EQ(wire.rest().first.size(), end);
  }
}

TEST_F(Streaming, CutsARequestAfterAnyOfItsBytes) {
  const auto bytes = upload("body");
  for (const auto end : {std::size_t{1}, std::size_t{20}, bytes.size() - 1, bytes.size()}) {
    fault(R"({"host":"api","wire":"cut","request_byte":)" + std::to_string(end) + R"(,"times":1})");
    Wire wire(emulator_->api_url());
    wire.send(bytes.substr(0, end - 1));
    EXPECT_TRUE(wire.silent());
    wire.send(bytes.substr(end - 1, 1));
    const auto [said, why] = wire.rest();
    EXPECT_EQ(said, "");
    EXPECT_EQ(why, asio::error::eof);
  }
  EXPECT_EQ(stats()["requests_cut"], (json{{"cut", 4}}));
  EXPECT_EQ(stats()["api_requests"]["total"], 0);
  EXPECT_EQ(Wire(emulator_->api_url()).ask(bytes).status(), 200);
}

TEST_F(Streaming, ResetsInTheMiddleOfARequest) {
  fault(R"({"host":"api","wire":"reset","request_byte":10,"times":1})");
  Wire wire(emulator_->api_url());
  wire.send(upload("body"));
  EXPECT_EQ(wire.rest().second, asio::error::connection_reset);
}

TEST_F(Streaming, ClosesAConnectionBeforeItsFirstByte) {
  fault(R"({"host":"api","wire":"cut","request_byte":0,"times":1})");
  EXPECT_TRUE(Wire(emulator_->api_url()).closed());
}

}  // namespace
}  // namespace skewguard::emulator
