#include "emulator/fault.hpp"

#include <gtest/gtest.h>

#include <string>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

/// A Play with ordered faults.
class FaultPlay : public Play {
 public:
  using Play::Play;
  void fault(const std::string& body, Duration when = Duration{0}) {
    const auto reply = control(when, "POST", "/emulator/fault", body);
    EXPECT_EQ(reply.status, 200) << body << "\n" << reply.body;
  }
  std::string complaint(const std::string& body) {
    const auto reply = control(Duration{0}, "POST", "/emulator/fault", body);
    EXPECT_EQ(reply.status, 400) << body;
    return json::parse(reply.body).value("error", "");
  }
};

TEST(Fault, AffectsTheNextAnswersAndThenNoMore) {
  FaultPlay play;
  const auto token = play.token(seconds{0});
  play.fault(R"({"host":"api","status":503,"times":2})");
  EXPECT_EQ(play.get(seconds{1}, token).status, 503);
  EXPECT_EQ(play.login(seconds{1}).status, 200);
  EXPECT_EQ(play.get(seconds{1}, token).status, 503);
  EXPECT_EQ(play.get(seconds{1}, token).status, 200);
}

TEST(Fault, StandsUntilItIsCleared) {
  FaultPlay play;
  play.fault(R"({"host":"login","status":500})");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(play.login(seconds{i}).status, 500);
  play.fault(R"({"host":"api","status":500})");
  play.fault(R"({"clear":true,"host":"login"})");
  EXPECT_EQ(play.login(seconds{20}).status, 200);
  EXPECT_EQ(play.get(seconds{20}, "x").status, 500);
  play.fault(R"({"clear":true})");
  EXPECT_EQ(play.get(seconds{20}, "x").status, 401);
}

TEST(Fault, IsForOnePathOrBackendWhereSoOrdered) {
  CloudOptions options;
  options.api_clocks = {{}, {}};
  FaultPlay play(options);
  const auto token = play.token(seconds{0});
  const auto ask = [&](std::string path, std::size_t backend) {
    return play.cloud
        .handle_api(api_request("GET", std::move(path), token), at(seconds{0}), backend)
        .status;
  };
  play.fault(R"({"host":"api","status":502,"path":"/api/v2/users","backend":1})");
  EXPECT_EQ(ask("/api/v2/users?pageSize=1", 0), 200);
  EXPECT_EQ(ask("/api/v2/users?pageSize=1", 1), 502);
  EXPECT_EQ(ask("/api/v2/tokens/me", 1), 200);
}

TEST(Fault, ALaterOneWinsOverAnEarlier) {
  FaultPlay play;
  play.fault(R"({"host":"login","status":500,"retry_after":3})");
  play.fault(R"({"host":"login","status":502,"times":1})");
  const auto reply = play.login(seconds{0});
  EXPECT_EQ(reply.status, 502);
  EXPECT_EQ(header(reply, "Retry-After"), "3");
  EXPECT_EQ(play.login(seconds{0}).status, 500);
}

TEST(Fault, AStatusStandsInPlaceOfTheHost) {
  FaultPlay play;
  play.fault(R"({"host":"login","status":503})");
  const auto reply = play.login(seconds{0});
  EXPECT_EQ(json::parse(reply.body).at("error"), "temporarily_unavailable");
  EXPECT_EQ(header(reply, "Date"), "Thu, 01 Jan 2026 00:00:00 GMT");
  EXPECT_EQ(play.cloud.tokens().issued(), 0U);
}

TEST(Fault, TheAuthBackendOfTheApiMayTimeOut) {
  FaultPlay play;
  const auto token = play.token(seconds{0});
  play.fault(R"({"host":"api","status":504})");
  const auto body = json::parse(play.get(seconds{0}, token).body);
  EXPECT_EQ(body.at("code"), "authentication.request.timeout");  // docs/platform.md 2.2
  EXPECT_EQ(body.at("status"), 504);
}

TEST(Fault, AnErrorSaysWhatWasRequested) {
  FaultPlay play;
  play.fault(R"({"host":"api","status":401,"code":"credentials.expired","message":"clock skew",
                 "headers":{"WWW-Authenticate":"Bearer error=\"invalid_token\""}})");
  const auto reply = play.get(seconds{0}, play.token(seconds{0}));
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("code"), "credentials.expired");
  EXPECT_EQ(body.at("message"), "clock skew");
  EXPECT_EQ(body.at("contextId"), header(reply, "ININ-Correlation-Id"));
  EXPECT_EQ(header(reply, "WWW-Authenticate"), "Bearer error=\"invalid_token\"");
}

TEST(Fault, ABodyMayBeHtmlEmptyOrCutInHalf) {
  FaultPlay play;
  play.fault(R"({"host":"login","status":502,"body":"html","times":1})");
  auto reply = play.login(seconds{0});
  EXPECT_EQ(reply.status, 502);
  EXPECT_EQ(header(reply, "Content-Type"), "text/html");
  EXPECT_TRUE(reply.body.starts_with("<html>"));
  play.fault(R"({"host":"login","body":"empty","times":1})");
  reply = play.login(seconds{0});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  play.fault(R"({"host":"login","body":"truncated","times":1})");
  reply = play.login(seconds{0});
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.body.starts_with(R"({"access_token":")"));
  EXPECT_TRUE(json::parse(reply.body, nullptr, false).is_discarded());
}

TEST(Fault, AnAnswerMayBeHuge) {
  FaultPlay play;
  play.fault(R"({"host":"api","size":10485760})");
  const auto reply = play.get(seconds{0}, play.token(seconds{0}));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body.size(), 10U * 1024 * 1024);
  EXPECT_TRUE(reply.body.starts_with(R"({"padding":"xx)"));
  EXPECT_TRUE(reply.body.ends_with("xx\"}"));
}

TEST(Fault, SendsElsewhere) {
  FaultPlay play;
  play.fault(R"({"host":"api","location":"http://elsewhere.invalid/x"})");
  const auto reply = play.get(seconds{0}, play.token(seconds{0}));
  EXPECT_EQ(reply.status, 302);
  EXPECT_EQ(header(reply, "Location"), "http://elsewhere.invalid/x");
  play.fault(R"({"host":"login","status":307,"location":"/oauth/token"})");
  EXPECT_EQ(play.login(seconds{0}).status, 307);
}

TEST(Fault, SaysAnotherContentType) {
  FaultPlay play;
  play.fault(R"({"host":"login","content_type":"text/plain"})");
  const auto reply = play.login(seconds{0});
  EXPECT_EQ(reply.headers.all("Content-Type"), (std::vector<std::string_view>{"text/plain"}));
  EXPECT_TRUE(json::parse(reply.body).contains("access_token"));
}

TEST(Fault, ATokenMayHoldWhatNoHeaderTakes) {
  FaultPlay play;
  play.fault(R"({"host":"login","access_token":"a\r\nX-Evil: 1\u0001"})");
  EXPECT_EQ(play.token(seconds{0}), "a\r\nX-Evil: 1\x01");
}

TEST(Fault, ATokenOfAnotherShapeIsTakenByTheApi) {
  FaultPlay play;
  const std::string long_one(std::size_t{64} * 1024, 't');
  for (const std::string& value : {std::string("a.b.c"), long_one}) {
    play.fault(json{{"host", "login"}, {"access_token", value}, {"times", 1}}.dump());
    EXPECT_EQ(play.token(seconds{0}), value);
    EXPECT_EQ(play.get(seconds{0}, value).status, 200);
  }
  EXPECT_EQ(play.get(seconds{0}, "a.b.d").status, 401);
}

TEST(Fault, ALifetimeMayBeAnyJsonOrMissing) {
  FaultPlay play;
  for (const auto& value :
       {json(3600.5), json("3600"), json(1e300), json(-1), json(0), json::array(), json("soon")}) {
    play.fault(json{{"host", "login"}, {"expires_in", value}, {"times", 1}}.dump());
    EXPECT_EQ(json::parse(play.login(seconds{0}).body).at("expires_in"), value);
  }
  play.fault(R"({"host":"login","expires_in":"none","times":1})");
  EXPECT_FALSE(json::parse(play.login(seconds{0}).body).contains("expires_in"));
}

TEST(Fault, RetryAfterMayBeSecondsADateOrAnythingElse) {
  CloudOptions options;
  options.api_clocks = {{seconds{600}, 0}};
  FaultPlay play(options);
  const auto said = [&](const std::string& how) {
    play.fault(R"({"host":"api","status":429,"times":1)" + how + "}");
    return header(play.get(milliseconds{1500}, "x"), "Retry-After");
  };
  EXPECT_EQ(said(""), "(none)");
  EXPECT_EQ(said(R"(,"retry_after":1)"), "1");
  EXPECT_EQ(said(R"(,"retry_after":"soon")"), "soon");
  EXPECT_EQ(said(R"(,"retry_after":"99999999999999999999")"), "99999999999999999999");
  EXPECT_EQ(said(R"(,"retry_after":"none")"), "(none)");
  // 1.5 s + 600 s + 30 s by the host's own clock.
  EXPECT_EQ(said(R"(,"retry_after_date":"30s")"), "Thu, 01 Jan 2026 00:10:31 GMT");
}

std::vector<std::string_view> dates(const Reply& reply) {
  return reply.headers.all("Date");
}

TEST(DateFault, MayBeThereTwiceOrNotAtAll) {
  FaultPlay play;
  play.fault(R"({"host":"login","date":"two","times":1})");
  EXPECT_EQ(dates(play.login(seconds{5})),
            (std::vector<std::string_view>{"Thu, 01 Jan 2026 00:00:05 GMT",
                                           "Thu, 01 Jan 2026 01:00:05 GMT"}));
  play.fault(R"({"host":"login","date":"none","times":1})");
  EXPECT_TRUE(dates(play.login(seconds{5})).empty());
  EXPECT_EQ(dates(play.login(seconds{5})).size(), 1U);
}

TEST(DateFault, MayBeMalformedOrAnyText) {
  FaultPlay play;
  play.fault(R"({"host":"login","date":"malformed","times":1})");
  EXPECT_EQ(header(play.login(seconds{5}), "Date").find("GMT"), std::string::npos);
  play.fault(R"({"host":"login","date":"text","date_text":"Thu, 01 Jan 1970 00:00:00 GMT"})");
  EXPECT_EQ(header(play.login(seconds{5}), "Date"), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(DateFault, AFrozenOneStaysWhateverTheClockDoes) {
  CloudOptions options;
  options.api_clocks = {{}, {seconds{-3}, 0}};
  FaultPlay play(options);
  play.fault(R"({"host":"api","date":"frozen"})", milliseconds{7900});
  play.control(seconds{8}, "POST", "/emulator/clock", R"({"host":"api","step":"1h"})");
  const auto date = [&](Duration when, std::size_t backend) {
    return header(
        play.cloud.handle_api(api_request("GET", "/api/v2/tokens/me", "x"), at(when), backend),
        "Date");
  };
  for (const int when : {8, 9, 7000}) {
    EXPECT_EQ(date(seconds{when}, 0), "Thu, 01 Jan 2026 00:00:07 GMT");
    EXPECT_EQ(date(seconds{when}, 1), "Thu, 01 Jan 2026 00:00:04 GMT");
  }
}

TEST(DateFault, ACachedOneIsOfTheCopysAgeWithAgeOrWithout) {
  FaultPlay play;
  play.fault(R"({"host":"login","date":"cached","date_by":"10s"})", seconds{100});
  auto reply = play.login(milliseconds{113'700});
  EXPECT_EQ(header(reply, "Date"), "Thu, 01 Jan 2026 00:01:50 GMT");
  EXPECT_EQ(header(reply, "Age"), "3");
  reply = play.login(seconds{120});
  EXPECT_EQ(header(reply, "Date"), "Thu, 01 Jan 2026 00:02:00 GMT");
  EXPECT_EQ(header(reply, "Age"), "0");
  play.fault(R"({"host":"login","date":"cached","date_by":"10s","age_header":false})",
             seconds{120});
  reply = play.login(seconds{129});
  EXPECT_EQ(header(reply, "Date"), "Thu, 01 Jan 2026 00:02:00 GMT");
  EXPECT_EQ(header(reply, "Age"), "(none)");
}

TEST(DateFault, ThatOfLastModifiedNeverMoves) {
  FaultPlay play;
  play.fault(R"({"host":"login","date":"last_modified"})");
  const auto first = play.login(seconds{1});
  EXPECT_EQ(header(first, "Date"), header(first, "Last-Modified"));
  EXPECT_EQ(header(first, "Date"), header(play.login(seconds{500}), "Date"));
  EXPECT_NE(header(first, "Date").substr(0, 16), "Thu, 01 Jan 2026");
}

TEST(DateFault, ALateOneIsWhatTheClockSaidBefore) {
  FaultPlay play;
  play.fault(R"({"host":"login","date":"late","date_by":"900ms"})");
  EXPECT_EQ(header(play.login(milliseconds{10'899}), "Date"), "Thu, 01 Jan 2026 00:00:09 GMT");
  EXPECT_EQ(header(play.login(milliseconds{10'900}), "Date"), "Thu, 01 Jan 2026 00:00:10 GMT");
}

TEST(DateFault, TokensAreJudgedByTheClockItself) {
  CloudOptions options;
  options.settings.lifetime = seconds{10};
  FaultPlay play(options);
  play.fault(R"({"host":"api","date":"text","date_text":"Thu, 01 Jan 1970 00:00:00 GMT"})");
  const auto token = play.token(seconds{0});
  EXPECT_EQ(play.get(seconds{9}, token).status, 200);
  EXPECT_EQ(play.get(seconds{10}, token).status, 401);
  EXPECT_EQ(play.cloud.stats().recent.back().date, seconds{kStart + 10});
}

TEST(Fault, SaysHowTheBytesAreSent) {
  FaultPlay play;
  play.fault(R"({"host":"login","wire":"slow","pause":"20ms","piece":3,"times":1})");
  auto delivery = play.login(seconds{0}).delivery;
  EXPECT_EQ(delivery.kind, Delivery::Kind::slow);
  EXPECT_EQ(delivery.pace.piece, 3U);
  EXPECT_EQ(delivery.pace.pause, milliseconds{20});
  play.fault(R"({"host":"login","wire":"cut","after":7,"times":1})");
  delivery = play.login(seconds{0}).delivery;
  EXPECT_EQ(delivery.kind, Delivery::Kind::cut);
  EXPECT_EQ(delivery.after, 7U);
  EXPECT_EQ(play.login(seconds{0}).delivery.kind, Delivery::Kind::whole);
}

TEST(Fault, IsCountedByWord) {
  FaultPlay play;
  play.fault(R"({"host":"api","status":502,"body":"html","date":"none","times":1})");
  play.fault(R"({"host":"login","wire":"reset","times":2})");
  const auto token = play.token(seconds{0});
  play.token(seconds{0});
  play.get(seconds{0}, token);
  play.get(seconds{0}, token);
  const auto stats = play.stats();
  EXPECT_EQ(stats["faults"]["login"], (json{{"reset", 2}}));
  EXPECT_EQ(stats["faults"]["api"], (json{{"status", 1}, {"body_html", 1}, {"date_none", 1}}));
  EXPECT_EQ(stats["api_requests"]["by_outcome"], (json{{"fault", 1}, {"ok", 1}}));
  EXPECT_EQ(stats["token_requests"]["by_outcome"], (json{{"issued", 2}}));
  EXPECT_EQ(stats["recent"][2]["token"], 1);  // the token sent is known all the same
  EXPECT_EQ(stats["recent"][2]["faults"], (json{"status", "body_html", "date_none"}));
}

TEST(Fault, IsShownInTheStateWithoutItsTexts) {
  FaultPlay play;
  play.fault(R"({"host":"login","access_token":"hush","times":3,"path":"/oauth/token"})");
  play.login(seconds{0});
  const auto text = play.control(seconds{0}, "GET", "/emulator/state").body;
  const auto fault = json::parse(text).at("faults").at(0);
  EXPECT_EQ(fault["host"], "login");
  EXPECT_EQ(fault["does"], (json{"access_token"}));
  EXPECT_EQ(fault["left"], 2);
  EXPECT_EQ(text.find("hush"), std::string::npos);
}

TEST(Fault, NamesTheFieldThatIsWrongAndChangesNothing) {
  FaultPlay play;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"status":503})", "field 'host': is missing"},
      {R"({"host":"api"})", "field 'status': or another fault"},
      {R"({"host":"api","status":101})", "field 'status': must be from 200 to 599"},
      {R"({"host":"api","status":600})", "field 'status': must be a whole number"},
      {R"({"host":"api","status":503,"times":0})", "field 'times': must not be 0"},
      {R"({"host":"login","status":503,"backend":0})", "field 'backend': the login host"},
      {R"({"host":"api","status":503,"backend":1})", "field 'backend': must be a whole number"},
      {R"({"host":"api","code":"x"})", "field 'code': needs 'status'"},
      {R"({"host":"api","body":"xml"})", "field 'body': must be one of json, html"},
      {R"({"host":"api","body":"json"})", "field 'body': json needs 'status'"},
      {R"({"host":"api","size":31})", "field 'size': must be at least 32"},
      {R"({"host":"api","location":"a\r\nb"})", "field 'location': must be visible ASCII"},
      {R"({"host":"api","headers":{"a b":"c"}})", "field 'headers': must be an object"},
      {R"({"host":"api","headers":{"a":"\n"}})", "field 'headers': must be an object"},
      {R"({"host":"api","retry_after":-1})", "field 'retry_after': must be a string"},
      {R"({"host":"api","retry_after":1,"retry_after_date":1})", "field 'retry_after_date'"},
      {R"({"host":"api","access_token":"x"})", "field 'access_token'"},
      {R"({"host":"api","date":"wrong"})", "field 'date': must be one of two, none"},
      {R"({"host":"api","date":"late"})", "field 'date_by': goes with"},
      {R"({"host":"api","date":"none","date_by":1})", "field 'date_by': goes with"},
      {R"({"host":"api","date":"text"})", "field 'date_text': goes with"},
      {R"({"host":"api","date":"none","age_header":true})", "field 'age_header': goes with"},
      {R"({"host":"api","wire":"whole"})", "field 'wire': must be one of cut, reset"},
      {R"({"host":"api","wire":"slow"})", "field 'pause': goes with"},
      {R"({"host":"api","wire":"drop","after":1})", "field 'after': goes with"},
      {R"({"host":"api","wire":"cut","piece":1})", "field 'piece': goes with"},
      {R"({"host":"api","wire":"drop","answer_byte":1})", "field 'answer_byte': goes with"},
      {R"({"host":"api","wire":"cut","answer_byte":1,"after":1})", "field 'after': or"},
      {R"({"host":"api","early":1})", "field 'early': needs 'status'"},
      {R"({"host":"api","early":1,"status":413,"backend":0})", "field 'early': does not go"},
      {R"({"host":"api","request_byte":1})", "field 'request_byte': goes with"},
      {R"({"host":"api","request_byte":1,"wire":"drop"})", "field 'request_byte': goes with"},
      {R"({"host":"api","request_byte":1,"wire":"cut","after":1})", "field 'request_byte': goes"},
      {R"({"host":"api","request_byte":1,"wire":"cut","status":500})", "field 'request_byte'"},
      {R"({"host":"api","request_byte":1,"wire":"cut","path":"/a"})", "field 'request_byte': is"},
      {R"({"host":"login","request_byte":1,"wire":"cut"})", "field 'request_byte': is for all"},
      {R"({"clear":true,"status":503})", "field 'status': not known here"},
  };
  for (const auto& [body, why] : cases)
    EXPECT_TRUE(play.complaint(body).starts_with(why)) << body << ": " << play.complaint(body);
  EXPECT_TRUE(play.cloud.faults().all().empty());
}

TEST(Fault, AHundredMayStandAndNotOneMore) {
  FaultPlay play;
  for (std::size_t i = 0; i < FaultTable::kMaxFaults; ++i)
    play.fault(R"({"host":"api","status":503})");
  EXPECT_TRUE(play.complaint(R"({"host":"api","status":503})").starts_with("field 'host'"));
}

}  // namespace
}  // namespace skewguard::emulator
