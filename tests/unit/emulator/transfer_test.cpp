#include "emulator/transfer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "emulator/outgoing.hpp"
#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

using Framing = Download::Framing;

/// All that an answer still has to say, in pieces of at most `most` bytes.
std::string rest_of(Outgoing& out, std::size_t most = 1000) {
  std::string text;
  while (true) {
    const auto piece = out.next(most);
    if (piece.size() == 0) return text;
    EXPECT_LE(piece.size(), most);
    text.append(piece.first).append(piece.second);
  }
}

std::string content(std::uint64_t from, std::size_t size) {
  std::string text(size, '\0');
  fill_download(from, text.data(), size);
  return text;
}

TEST(Download, NumbersItsPages) {
  const auto text = content(0, 3 * 4096);
  EXPECT_EQ(text.substr(0, 18), "0000000000000000..");
  EXPECT_EQ(text.substr(4094, 18), ".\n0000000000000001");
  EXPECT_EQ(text.substr(8192, 17), "0000000000000002.");
}

TEST(Download, HasTheSameBytesHoweverItIsCut) {
  const auto whole = content(0, 10'000);
  for (const std::size_t from : {1U, 15U, 4095U, 4096U, 4097U})
    EXPECT_EQ(content(from, 5000), whole.substr(from, 5000)) << from;
  EXPECT_EQ(content(std::uint64_t{4096} << 32U, 16), "0000000100000000");
}

TEST(Download, IsWhatTheQueryAsksFor) {
  const auto asked = download_of(
      {{"bytes", "5000000000"}, {"framing", "chunked"}, {"piece", "10"}, {"pause", "20ms"}});
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->size, 5'000'000'000U);
  EXPECT_EQ(asked->framing, Framing::chunked);
  EXPECT_EQ(asked->pace.piece, 10U);
  EXPECT_EQ(asked->pace.pause, milliseconds{20});
  const auto usual = download_of({});
  ASSERT_TRUE(usual);
  EXPECT_EQ(usual->size, 0U);
  EXPECT_EQ(usual->framing, Framing::length);
  EXPECT_EQ(usual->pace.piece, Pace::kUsual);
}

TEST(Download, IsRefusedIfTheQueryIsOutOfRange) {
  const Parameters queries[] = {{{"bytes", "-1"}},
                                {{"bytes", "1125899906842625"}},
                                {{"bytes", "1"}, {"bytes", "1"}},
                                {{"framing", "trailer"}},
                                {{"piece", "0"}},
                                {{"piece", "1048577"}},
                                {{"pause", "61s"}},
                                {{"pause", "-1s"}},
                                {{"pause", "soon"}},
                                {{"framing", "length"}, {"framing", "close"}}};
  for (const auto& query : queries)
    EXPECT_FALSE(download_of(query)) << query[0].first << ' ' << query[0].second;
}

TEST(Outgoing, SendsHeadAndBodyInPiecesOfAnySize) {
  for (const std::size_t most : {1U, 3U, 5U, 100U}) {
    Outgoing out("head", "body");
    EXPECT_EQ(rest_of(out, most), "headbody") << most;
  }
  Outgoing out("head", "body");
  EXPECT_EQ(out.next(100).size(), 8U);  // in one write
}

TEST(Outgoing, EndsAfterAnyByteOfTheAnswer) {
  for (std::size_t end = 0; end <= 8; ++end) {
    Outgoing out("head", "body");
    out.end_after(end);
    EXPECT_EQ(rest_of(out, 3), std::string("headbody").substr(0, end));
  }
}

TEST(Outgoing, SendsADownloadOfItsLength) {
  Outgoing out("head", Download{10'000, Framing::length, {999}});
  EXPECT_EQ(out.body_size(), 10'000U);
  EXPECT_EQ(rest_of(out), "head" + content(0, 10'000));
}

/// RFC 9112 section 7.1.
TEST(Outgoing, SendsADownloadInChunks) {
  Outgoing out("", Download{300, Framing::chunked, {256}});
  EXPECT_EQ(rest_of(out, 7),
            "100\r\n" + content(0, 256) + "\r\n2c\r\n" + content(256, 44) + "\r\n0\r\n\r\n");
  Outgoing even("", Download{256, Framing::chunked, {256}});
  EXPECT_EQ(rest_of(even), "100\r\n" + content(0, 256) + "\r\n0\r\n\r\n");
}

TEST(Outgoing, SendsAnEmptyDownload) {
  Outgoing chunked("head", Download{0, Framing::chunked, {}});
  EXPECT_EQ(rest_of(chunked), "head0\r\n\r\n");
  Outgoing plain("head", Download{0, Framing::close, {}});
  EXPECT_EQ(rest_of(plain), "head");
}

TEST(Outgoing, HoldsOnePieceOfADownloadOfTwoGibibytes) {
  constexpr std::uint64_t kSize = std::uint64_t{2} << 30U;
  Outgoing out("", Download{kSize, Framing::length, {}});
  std::uint64_t sent = 0;
  std::size_t largest = 0;
  while (const auto size = out.next(Pace::kMax).size()) {
    sent += size;
    largest = std::max(largest, size);
  }
  EXPECT_EQ(sent, kSize);
  EXPECT_LE(largest, Pace::kUsual);
}

Reply post_to(Play& play, std::string target, const std::string& token, const std::string& key,
              std::string method = "POST") {
  auto request = api_request(std::move(method), std::move(target), token);
  if (!key.empty()) request.headers.add("Idempotency-Key", key);
  request.body = "abc";
  return play.cloud.handle_api(request, at(seconds{0}));
}

TEST(Upload, TellsWhatArrived) {
  Play play;
  const auto token = play.token(seconds{0});
  const auto reply = post_to(play, std::string(kUploadPath), token, "");
  EXPECT_EQ(reply.status, 200);
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body["bytes"], 3);
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(body["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Upload, WithoutABodyHasTheDigestOfNothing) {
  Play play;
  const auto reply = play.cloud.handle_api(
      api_request("PUT", std::string(kUploadPath), play.token(seconds{0})), at(seconds{0}));
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body["bytes"], 0);
  EXPECT_EQ(body["sha256"], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Upload, IsRefusedIfItsPaceIsOutOfRange) {
  Play play;
  const auto token = play.token(seconds{0});
  EXPECT_EQ(post_to(play, std::string(kUploadPath) + "?piece=0", token, "").status, 400);
  EXPECT_EQ(play.get(seconds{0}, token, std::string(kDownloadPath) + "?bytes=x").status, 400);
}

json effects(Play& play) {
  return json::parse(play.control(seconds{0}, "GET", "/emulator/effects").body);
}

TEST(Effects, AreCountedByKey) {
  Play play;
  const auto token = play.token(seconds{0});
  const std::string path(kUploadPath);
  post_to(play, path, token, "a");
  post_to(play, path, token, "b");
  post_to(play, path, token, "a", "PUT");
  EXPECT_EQ(effects(play), (json{{"total", 3}, {"by_key", {{"a", 2}, {"b", 1}}}, {"not_kept", 0}}));
  play.control(seconds{0}, "POST", "/emulator/stats/reset");
  EXPECT_EQ(effects(play)["total"], 0);
}

TEST(Effects, AreThoseOfAnsweredRequestsThatChangeSomething) {
  Play play;
  const auto token = play.token(seconds{0});
  const std::string path(kUploadPath);
  post_to(play, path, "not-a-token", "refused");
  post_to(play, path, token, "");
  post_to(play, "/api/v2/nothing", token, "not found");
  post_to(play, "/api/v2/tokens/me", token, "read", "GET");
  play.control(seconds{0}, "POST", "/emulator/fault", R"({"host":"api","status":503,"times":1})");
  post_to(play, path, token, "not seen");
  EXPECT_EQ(effects(play)["by_key"], json::object());
  play.control(seconds{0}, "POST", "/emulator/fault", R"({"host":"api","wire":"drop","times":1})");
  post_to(play, path, token, "lost");
  EXPECT_EQ(effects(play)["by_key"], (json{{"lost", 1}}));  // the host did it all the same
}

TEST(Effects, AreKeptUpToALimit) {
  Effects effects;
  for (std::size_t i = 0; i < Effects::kMaxKeys; ++i) effects.note(std::to_string(i));
  EXPECT_EQ(effects.not_kept(), 0U);
  effects.note("one more");
  effects.note("0");
  EXPECT_EQ(effects.not_kept(), 1U);
  EXPECT_EQ(effects.by_key().size(), Effects::kMaxKeys);
  EXPECT_EQ(effects.by_key().at("0"), 2U);
  Effects keys;
  keys.note(std::string(Effects::kMaxKey, 'k'));
  keys.note(std::string(Effects::kMaxKey + 1, 'k'));
  EXPECT_EQ(keys.by_key().size(), 1U);
  EXPECT_EQ(keys.total(), 2U);
}

}  // namespace
}  // namespace skewguard::emulator
