#include "doctor/judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../readings.hpp"

namespace skewguard::doctor {
namespace {

using clocks::Picture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

ClockReading unreachable(const std::string& url, TransportFailure::Kind kind) {
  ClockReading reading;
  reading.url = url;
  reading.failure = TransportFailure{kind, "it does not answer", false};
  return reading;
}

TEST(SurelyOff, GroupsCountOnlyWhereTheyAreClocks) {
  ClockReading reading;
  reading.bound = OffsetBound{-seconds{6}, -seconds{3}};
  reading.groups = {{.offset = {-seconds{7}, -seconds{6}}}, {.offset = {-seconds{4}, -seconds{3}}}};
  reading.picture = Picture::several_clocks;
  EXPECT_TRUE(surely_off(reading, seconds{5}));
  reading.picture = Picture::late_or_second_clock;  // a late Date may have made them
  EXPECT_FALSE(surely_off(reading, seconds{5}));
}

class Judge : public ::testing::Test {
 protected:
  Judge() {
    examination.login = 0;
    examination.api = 1;
    examination.now = WallTime{seconds{1'798'000'000}};  // December 2026
    servers(seconds{0}, seconds{0});
    host().services = {{.kind = system::TimeServiceKind::chrony,
                        .name = "chronyd",
                        .installed = true,
                        .running = false}};
    host().remedies = {{"systemctl start chronyd", "chronyd is installed but not running"}};
  }

  void servers(Duration login, Duration api) {
    examination.survey.servers = {clock_at("https://login.example.com/", login),
                                  clock_at("https://api.example.com/", api)};
  }
  void ntp(std::initializer_list<Duration> offsets) {
    examination.survey.ntp.clear();
    for (const Duration off : offsets) {
      examination.survey.ntp.push_back(
          ntp_at("ntp" + std::to_string(examination.survey.ntp.size()), off));
    }
  }
  ClockReading& login() { return examination.survey.servers.at(0); }
  ClockReading& api() { return examination.survey.servers.at(1); }
  HostReading& host() { return examination.survey.host; }

  void expect(const std::string& verdict, int exit_code) {
    const Diagnosis diagnosis = judge(examination);
    EXPECT_EQ(diagnosis.verdict, verdict) << diagnosis.summary;
    EXPECT_EQ(diagnosis.exit_code, exit_code) << diagnosis.summary;
  }
  Check check(const std::string& name) {
    for (Check const& check : judge(examination).checks)
      if (check.name == name) return check;
    ADD_FAILURE() << "no check " << name;
    return {};
  }

  Examination examination;
};

TEST_F(Judge, FindsNothingWrongWhereAllClocksAgree) {
  ntp({seconds{0}, milliseconds{5}, milliseconds{-5}});
  expect("ok", 0);
}

TEST_F(Judge, BlamesTheLocalClockWhereBothHostsAgreeAgainstIt) {
  servers(seconds{312}, seconds{312});
  expect("local_clock_behind", 4);
  servers(-seconds{312}, -seconds{312});
  expect("local_clock_ahead", 4);
  EXPECT_THAT(judge(examination).summary, HasSubstr("312"));
  EXPECT_THAT(check("clock_sync_service").fix, HasSubstr("systemctl start chronyd"));
}

TEST_F(Judge, DoesNotBlameTheLocalClockWhereTheKernelVouchesForIt) {
  servers(seconds{4}, seconds{4});
  host().kernel = system::KernelClock{.synchronized = true, .max_error = milliseconds{20}};
  expect("clocks_differ", 0);
}

TEST_F(Judge, NamesALocalClockThatIsOffByLessThanDoesHarmWithoutFailing) {
  servers(seconds{4}, seconds{4});
  expect("local_clock_behind", 0);
}

TEST_F(Judge, DoesNotSayWhichOfTwoHostsIsWrong) {
  servers(seconds{120}, seconds{0});
  expect("login_and_api_differ", 4);
  EXPECT_THAT(check("clock_login_vs_api").detail, HasSubstr("not valid yet"));
  servers(seconds{0}, seconds{3} + milliseconds{500});
  expect("login_and_api_differ", 0);
}

TEST_F(Judge, NamesTheHostThatIsWrongWhereNtpTells) {
  ntp({seconds{0}, milliseconds{3}});
  servers(seconds{120}, seconds{0});
  expect("login_clock_wrong", 4);
  servers(seconds{0}, -seconds{60});
  expect("api_clock_wrong", 4);
}

TEST_F(Judge, SaysThatClocksDifferWhereOnlyOneServerIsHeard) {
  servers(seconds{60}, seconds{60});
  api() = unreachable(api().url, TransportFailure::Kind::refused);
  examination.access = Access{};
  expect("clocks_differ", 4);
  EXPECT_THAT(judge(examination).summary, HasSubstr("the login host by +60.0"));
}

TEST_F(Judge, SaysFirstThatOpenFilesRanOutWhereOnlyOneHostIsMeasured) {
  api() = unreachable(api().url, TransportFailure::Kind::unreachable);
  api().failure->out_of_resources = true;
  expect("unknown", 6);
  EXPECT_THAT(judge(examination).summary, HasSubstr("ran out of open files or memory, so the API"));
  EXPECT_THAT(judge(examination).fix, HasSubstr("ulimit -a"));
  EXPECT_THAT(check("api").fix, HasSubstr("ulimit -a"));
}

TEST_F(Judge, ReportsSeveralClocksBehindOneName) {
  api().picture = Picture::several_clocks;
  api().groups = {{.offset = {-milliseconds{10}, milliseconds{10}}, .share = 0.7, .samples = 11},
                  {.offset = {-seconds{9}, -seconds{8}}, .share = 0.3, .samples = 5}};
  expect("several_clocks", 4);
  EXPECT_THAT(judge(examination).summary, HasSubstr("in 30% of the answers;"));
  ntp({milliseconds{2}, seconds{0}});
  EXPECT_THAT(
      judge(examination).summary,
      HasSubstr("-9.0 to -8.0 s from the local clock in 30% of the answers, which is wrong"));
  EXPECT_THAT(judge(examination).summary, HasSubstr("in 70% of the answers; -9.0"));
}

TEST_F(Judge, DrawsNoConclusionsFromADateThatIsNotAClock) {
  servers(seconds{0}, -seconds{5'000'000});
  api().picture = Picture::incoherent;
  expect("not_a_clock", 0);
  EXPECT_EQ(check("clock_api").status, Check::Status::fail);
}

/// Like `skew`, whoever is to blame.
TEST_F(Judge, FailsWhereAllOfSeveralClocksAreOffHoweverNearToEachOther) {
  servers(seconds{601}, seconds{601});
  for (ClockReading* reading : {&login(), &api()}) {
    reading->picture = Picture::several_clocks;
    reading->groups = {{.offset = {seconds{600}, seconds{601}}, .share = 0.5, .samples = 8},
                       {.offset = {seconds{602}, seconds{603}}, .share = 0.5, .samples = 8}};
  }
  expect("several_clocks", 4);
}

TEST_F(Judge, ANaiveClientIsRefusedIfSeveralClocksAnswer) {
  api().picture = Picture::several_clocks;
  api().groups = {{.offset = {-milliseconds{10}, milliseconds{10}}, .share = 0.7, .samples = 11},
                  {.offset = {seconds{3}, seconds{4}}, .share = 0.3, .samples = 5}};
  EXPECT_EQ(check("naive_client").status, Check::Status::warn);
  EXPECT_THAT(check("naive_client").detail, HasSubstr("is refused now and then"));
}

TEST_F(Judge, ANaiveClientMayBeRefusedIfASecondClockMayAnswer) {
  EXPECT_THAT(check("naive_client").detail, HasSubstr("has no problem here"));
  api().picture = Picture::late_or_second_clock;
  EXPECT_EQ(check("naive_client").status, Check::Status::warn);
  EXPECT_THAT(check("naive_client").detail,
              HasSubstr("may be refused now and then: the API host sends late Dates"));
}

TEST_F(Judge, SaysWhereWholeHoursPointTo) {
  servers(seconds{7200}, seconds{7200});
  EXPECT_THAT(judge(examination).summary, HasSubstr("whole hours point to a time zone"));
  servers(seconds{0}, seconds{5400});
  EXPECT_THAT(judge(examination).summary, HasSubstr("half hours point to a time zone"));
  servers(seconds{600}, seconds{600});
  EXPECT_THAT(judge(examination).summary, testing::Not(HasSubstr("hours point to")));
}

TEST_F(Judge, C27_ADateThatIsRenewedLateIsOffForCertainAllTheSame) {
  const auto late = [](ClockReading& reading) {
    reading.picture = Picture::incoherent;
    reading.renewed_late = true;
    reading.bound = reading.hull =
        OffsetBound{reading.bound->low - seconds{3}, reading.bound->high};
  };
  servers(seconds{600}, seconds{600});
  late(login());
  late(api());
  EXPECT_EQ(judge(examination).exit_code, 4);
  EXPECT_EQ(check("clock_api").status, Check::Status::fail);
  servers(seconds{0}, -seconds{600});
  late(api());
  EXPECT_EQ(judge(examination).exit_code, 4);
  servers(seconds{0}, seconds{1});
  late(api());
  expect("not_a_clock", 0);
  EXPECT_EQ(check("clock_api").status, Check::Status::warn);
}

TEST_F(Judge, BlamesTheLocalClockForACertificateOnlyIfAnotherClockConfirmsIt) {
  using Kind = TransportFailure::Kind;
  for (ClockReading* reading : {&login(), &api()}) {
    *reading = unreachable(reading->url, Kind::tls_time);
    reading->failure->not_before = examination.now + std::chrono::hours{24};
    reading->failure->not_after = examination.now + std::chrono::hours{24 * 90};
  }
  expect("tls_untrusted", 6);
  ntp({std::chrono::hours{48}});
  expect("tls_clock", 4);
  examination.survey.ntp.clear();
  examination.plain = {clock_at("http://login.example.com/", std::chrono::hours{48})};
  expect("tls_clock", 4);
  examination.plain.clear();
  examination.now = WallTime{seconds{0}};  // 1970: before this program was written
  for (ClockReading* reading : {&login(), &api()}) {
    reading->failure->not_before = WallTime{seconds{1'790'000'000}};
    reading->failure->not_after = WallTime{seconds{1'800'000'000}};
  }
  expect("tls_clock", 4);
}

TEST_F(Judge, IgnoresARefereeThatAnotherClockContradicts) {
  login() = unreachable(login().url, TransportFailure::Kind::tls_time);
  login().failure->not_after = examination.now - std::chrono::hours{24};
  ntp({-std::chrono::hours{24 * 20}});
  expect("clocks_differ", 4);  // the API host's Date is as the local clock's
  EXPECT_EQ(check("tls").status, Check::Status::fail);
  servers(seconds{0}, -std::chrono::hours{24 * 20});
  login() = unreachable(login().url, TransportFailure::Kind::tls_time);
  login().failure->not_after = examination.now - std::chrono::hours{24};
  expect("tls_clock", 4);
}

TEST_F(Judge, DoesNotForgiveACertificateThatHasExpiredByARightClock) {
  login() = unreachable(login().url, TransportFailure::Kind::tls_time);
  login().failure->not_after = examination.now - std::chrono::hours{24};
  ntp({seconds{0}, milliseconds{2}});
  expect("tls_untrusted", 6);
}

TEST_F(Judge, PutsClocksThatDoHarmBeforeRefusedCredentialsAndThoseBeforeHarmlessOnes) {
  Access refused;
  refused.error = Error{ErrorKind::credentials, "the secret is wrong", "set another"};
  refused.report.verdict = Verdict::credentials_rejected;
  examination.access = refused;
  expect("credentials_rejected", 3);
  EXPECT_EQ(check("permissions").status, Check::Status::fail);
  servers(seconds{4}, seconds{4});
  expect("credentials_rejected", 3);
  servers(seconds{400}, seconds{400});
  expect("local_clock_behind", 4);
}

TEST_F(Judge, WorksWithoutCredentialsAndSaysSo) {
  examination.missing = "no credentials: the client id is not set";
  expect("ok", 0);
  EXPECT_EQ(check("settings").status, Check::Status::warn);
  EXPECT_EQ(check("permissions").status, Check::Status::skipped);
}

TEST_F(Judge, WorksOffline) {
  login() = unreachable(login().url, TransportFailure::Kind::dns);
  api() = unreachable(api().url, TransportFailure::Kind::dns);
  expect("network", 6);
  EXPECT_EQ(check("dns").status, Check::Status::fail);
  EXPECT_EQ(check("clock_ntp").status, Check::Status::skipped);
}

TEST_F(Judge, AddressesOfAProxyAreNotReportedAsTheHosts) {
  login().addresses = {"192.0.2.7"};
  login().proxy = "proxy.example:3128";
  EXPECT_THAT(check("dns").detail, HasSubstr(login().url + ": through the proxy"));
  login().addresses.clear();
  login().failure = TransportFailure{TransportFailure::Kind::dns, "the proxy has no name", false};
  EXPECT_THAT(check("dns").fix, HasSubstr("the proxy's name"));
}

TEST_F(Judge, NamesTheFalseTickerAmongNtpServers) {
  ntp({seconds{0}, milliseconds{2}, milliseconds{-2}, seconds{30}});
  expect("ok", 0);
  EXPECT_THAT(check("clock_ntp").detail, HasSubstr("wrong: NTP server ntp3"));
  EXPECT_EQ(check("clock_ntp").status, Check::Status::warn);
  EXPECT_THAT(check("clock_ntp").fix, HasSubstr("remove from"));
  EXPECT_THAT(judge(examination).summary, HasSubstr("wrong: NTP server ntp3"));
}

TEST_F(Judge, CallsASingleNtpServerWrongIfBothHostsContradictIt) {
  ntp({seconds{30}});
  expect("ok", 0);
  EXPECT_THAT(judge(examination).summary, HasSubstr("wrong: NTP server ntp0"));
  EXPECT_THAT(check("clock_ntp").fix, HasSubstr("remove from"));
}

TEST_F(Judge, NamesANtpServerThatIsSilentOnce) {
  for (const auto& [host, failure, told] :
       {std::tuple{"192.0.2.1:1", "192.0.2.1:1: Connection refused", "192.0.2.1:1: Conn"},
        std::tuple{"192.0.2.1", "192.0.2.1:123: Connection refused", "192.0.2.1: Conn"},
        std::tuple{"ntp.example:7", "ntp.example: no such name", "ntp.example:7: no such"},
        std::tuple{"ntp.example", "192.0.2.1:123: no answer", "ntp.example: 192.0.2.1:123: no"}}) {
    examination.survey.ntp = {{.host = host, .address = "", .failure = failure}};
    EXPECT_THAT(check("clock_ntp").detail,
                HasSubstr(std::string("no NTP server answered: ") + told));
  }
}

TEST_F(Judge, NotAskingNtpServersIsNotSilence) {
  EXPECT_EQ(check("clock_ntp").status, Check::Status::skipped);
  EXPECT_EQ(check("clock_ntp").detail, "no NTP server was asked");
}

TEST_F(Judge, AdvisesToWaitLongerOnlyWhereThatWouldHelp) {
  Access refused{.error = Error{ErrorKind::clock, "not valid yet", "set the clocks"}};
  refused.report.verdict = Verdict::issuer_clock_ahead;
  refused.hurried = seconds{7};
  examination.access = refused;
  servers(seconds{10}, seconds{0});
  EXPECT_THAT(check("permissions").fix, HasSubstr("`skewguard whoami` waits"));
  EXPECT_THAT(check("clock_login_vs_api").fix, HasSubstr("skewguard waits before it uses"));
  servers(seconds{120}, seconds{0});  // longer than --max-wait
  EXPECT_EQ(check("permissions").fix, "set the clocks");
  EXPECT_THAT(check("clock_login_vs_api").fix, HasSubstr("longer than --max-wait (15.0 s)"));
}

TEST_F(Judge, AdvisesToCheckTheUrlOfAServerWithoutTls) {
  login() = unreachable(login().url, TransportFailure::Kind::tls_failed);
  EXPECT_THAT(check("tls").fix, HasSubstr("check the URL"));
  login() = unreachable(login().url, TransportFailure::Kind::tls_untrusted);
  EXPECT_THAT(check("tls").fix, HasSubstr("--ca-file"));
}

TEST_F(Judge, OneMachineUnderTwoNamesIsOneWitness) {
  servers(seconds{100}, seconds{100});
  expect("local_clock_behind", 4);
  login().addresses = api().addresses = {"192.0.2.7"};
  expect("clocks_differ", 4);
  login().proxy = api().proxy = "proxy.example:3128";  // whose address it is
  expect("local_clock_behind", 4);
  login().proxy = api().proxy = "";
  api().addresses = {"192.0.2.8"};
  expect("local_clock_behind", 4);
}

TEST_F(Judge, AlsoReportsAHostThatIsWrongBesidesTheLocalClock) {
  servers(seconds{420}, seconds{300});
  ntp({seconds{300}, seconds{300}});
  expect("local_clock_behind", 4);
  EXPECT_THAT(judge(examination).summary,
              HasSubstr("The clock of the login host is wrong as well: 120.0 s ahead"));
  EXPECT_THAT(check("clock_login").fix, HasSubstr("to correct its clock"));
  EXPECT_THAT(check("clock_api").fix, HasSubstr("see clock_sync_service"));
}

TEST_F(Judge, ReportsHarmBelowASecondIfNtpShowsIt) {
  servers(milliseconds{800}, milliseconds{800});
  ntp({milliseconds{800}, milliseconds{803}});
  expect("ok", 0);
  examination.max_skew = milliseconds{500};
  expect("local_clock_behind", 4);
}

TEST_F(Judge, ReportsWhatANaiveClientDoes) {
  servers(seconds{600}, seconds{600});
  EXPECT_THAT(check("naive_client").detail, HasSubstr("too long"));
  servers(-seconds{600}, -seconds{600});
  EXPECT_THAT(check("naive_client").detail, HasSubstr("early"));
  examination.access = Access{.lifetime = seconds{300}};
  EXPECT_THAT(check("naive_client").detail, HasSubstr("per call"));
}

TEST_F(Judge, ReportsTheNarrowestBoundsOfOneClockWithItsWitnesses) {
  servers(milliseconds{312'400}, milliseconds{312'400});
  const Diagnosis found = judge(examination);
  EXPECT_THAT(found.summary, HasSubstr("312.4 s behind (bounds 312.39"));
  EXPECT_THAT(found.summary, HasSubstr("16 probes of the login host and 16 of the API host agree"));
  EXPECT_THAT(found.summary, HasSubstr("uses tokens 312.4 s too long"));
  EXPECT_THAT(found.fix, HasSubstr("systemctl start chronyd"));
  EXPECT_THAT(check("clock_login_vs_api").detail, HasSubstr("ms)"));
}

TEST_F(Judge, ReportsASingleSizeIfTheBoundsAreWide) {
  servers(seconds{600}, seconds{600});
  for (ClockReading* reading : {&login(), &api()}) {
    reading->bound = OffsetBound{milliseconds{598'000}, milliseconds{601'400}};
    reading->best = milliseconds{599'100};
  }
  EXPECT_THAT(judge(examination).summary, HasSubstr("is 599.7 s behind"));
  EXPECT_THAT(check("clock_api").detail, StartsWith("+599.7 s (bounds +598.0 to +601.4 s)"));
}

TEST_F(Judge, UsesTheSingularForOneProbe) {
  servers(Duration{0}, Duration{0});
  for (auto& reading : examination.survey.servers) reading.samples = 1;
  EXPECT_THAT(check("clock_api").detail, EndsWith(", by 1 probe"));
  EXPECT_THAT(check("api").detail, StartsWith("1 answer, "));
}

TEST_F(Judge, ChecksFailOnlyForWhatDoesHarm) {
  servers(seconds{4}, seconds{4});
  for (const char* name : {"clock_login", "clock_api", "clock_sync_service"})
    EXPECT_EQ(check(name).status, Check::Status::warn) << name;
  servers(seconds{3}, -seconds{3});
  EXPECT_EQ(check("clock_login").status, Check::Status::warn);
  EXPECT_EQ(check("clock_login_vs_api").status, Check::Status::fail);
  expect("login_and_api_differ", 4);
}

TEST_F(Judge, ASingleNtpServerThatDiffersIsHarmfulWhoeverIsWrong) {
  login() = unreachable(login().url, TransportFailure::Kind::refused);
  ntp({seconds{600}});
  expect("clocks_differ", 4);
  EXPECT_EQ(check("clock_ntp").status, Check::Status::fail);
  EXPECT_THAT(judge(examination).summary, HasSubstr("NTP server ntp0 by +600.0"));
}

TEST_F(Judge, SaysWhichWayAHostIsWrongAndHowItAffectsTokens) {
  ntp({seconds{0}, milliseconds{3}});
  servers(seconds{0}, -seconds{60});
  const Diagnosis found = judge(examination);
  EXPECT_THAT(found.summary, HasSubstr("the clock of the API host is 60.0 s behind"));
  EXPECT_THAT(found.summary, HasSubstr("new tokens are not valid yet for the API for 60.0 s"));
  EXPECT_THAT(found.fix, HasSubstr("api.example.com"));
  EXPECT_EQ(check("clock_api").status, Check::Status::fail);
  EXPECT_EQ(check("clock_login").status, Check::Status::ok);
}

TEST_F(Judge, SaysWhatANaiveClientDoesIfTwoHostsDiffer) {
  servers(seconds{60}, seconds{0});
  EXPECT_THAT(check("naive_client").detail, HasSubstr("requests another"));
  servers(-seconds{600}, seconds{0});
  examination.access = Access{.lifetime = seconds{300}};
  EXPECT_THAT(check("naive_client").detail, HasSubstr("token after token"));
}

TEST_F(Judge, TrustsATokenThatWasRefusedAsTooNewIfDatesShowNothing) {
  servers(seconds{2}, seconds{0});
  expect("ok", 0);
  Access access;
  access.report.attempts.push_back(
      {.verdict = Verdict::issuer_clock_ahead, .explanation = "the API lags by 2 s"});
  examination.access = access;
  expect("login_and_api_differ", 0);
  EXPECT_EQ(judge(examination).summary, "the API lags by 2 s");
  EXPECT_EQ(check("clock_login_vs_api").status, Check::Status::warn);
  EXPECT_THAT(check("naive_client").detail, HasSubstr("requests another"));
  servers(seconds{3}, seconds{0});  // the login host surely differs from the local clock
  expect("login_and_api_differ", 0);
}

TEST_F(Judge, C16NamesASuspendAsTheLikelyCauseOfAWrongLocalClockAlone) {
  host().machine.suspended = std::chrono::hours{2};
  EXPECT_EQ(check("clock_stability").status, Check::Status::ok);
  servers(seconds{7200}, seconds{7200});
  const Check slept = check("clock_stability");
  EXPECT_EQ(slept.status, Check::Status::warn);
  EXPECT_THAT(slept.detail, HasSubstr("suspended for 2 h"));
  EXPECT_THAT(slept.detail, HasSubstr("the suspend is the likely cause"));
  host().machine.suspended = Duration{45};  // what comes from reading the clocks one by one
  EXPECT_THAT(check("clock_stability").detail, ::testing::Not(HasSubstr("suspend")));
}

TEST_F(Judge, BlamesAClockOf1970ForACertificateWithoutAskingAnybody) {
  examination.now = WallTime{seconds{600}};
  for (ClockReading* reading : {&login(), &api()}) {
    *reading = unreachable(reading->url, TransportFailure::Kind::tls_time);
    reading->failure->not_before = WallTime{seconds{1'790'000'000}};
    reading->failure->not_after = WallTime{seconds{1'900'000'000}};
  }
  expect("tls_clock", 4);
  EXPECT_THAT(judge(examination).summary, HasSubstr("at least 56.9 years behind"));
  EXPECT_EQ(check("login").detail, "not reached: see tls");
  login().failure->not_after = WallTime{seconds{1'791'000'000}};  // it had ended by then
  expect("tls_untrusted", 6);
}

TEST_F(Judge, ReportsAnUntrustedCertificateWithoutCredentials) {
  login() = unreachable(login().url, TransportFailure::Kind::tls_untrusted);
  expect("tls_untrusted", 6);
  login() = unreachable(login().url, TransportFailure::Kind::timeout);
  expect("timeout", 6);
}

TEST_F(Judge, IgnoresAServerWithoutADate) {
  ClockReading silent;
  silent.url = api().url;
  silent.asked = 16;
  silent.no_sample = "no Date";
  api() = silent;
  expect("ok", 0);
  EXPECT_EQ(check("api").status, Check::Status::warn);
  EXPECT_THAT(check("api").detail, HasSubstr("no Date"));
}

TEST_F(Judge, ReportsAStepThatTheApiHostsClockTookBack) {
  api().steps = 2;
  api().last_step = -seconds{30};
  expect("ok", 0);
  EXPECT_EQ(check("clock_api").status, Check::Status::warn);
  EXPECT_THAT(check("clock_api").detail, HasSubstr("it stepped by -30.0 s"));
}

TEST_F(Judge, SaysThatNoServerIsKnownWithoutCallingThatWell) {
  examination.survey.servers.clear();
  examination.login.reset();
  examination.api.reset();
  examination.missing = "not set: the region";
  expect("unknown", 2);
  EXPECT_EQ(check("settings").status, Check::Status::fail);
}

TEST_F(Judge, DoesNotPraiseCertificatesThatItNeverSaw) {
  login() = unreachable(login().url, TransportFailure::Kind::dns);
  api() = unreachable(api().url, TransportFailure::Kind::dns);
  EXPECT_EQ(check("tls").status, Check::Status::skipped);
}

TEST_F(Judge, HasEveryCheckOnceByItsName) {
  std::vector<std::string> names;
  for (const Check& check : judge(examination).checks) names.push_back(check.name);
  EXPECT_THAT(names, ::testing::ElementsAre("settings", "dns", "tls", "login", "api", "permissions",
                                            "clock_login", "clock_api", "clock_login_vs_api",
                                            "clock_ntp", "clock_sync_service", "clock_stability",
                                            "token_lifetime", "naive_client"));
}

}  // namespace
}  // namespace skewguard::doctor
