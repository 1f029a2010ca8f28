#include "oauth/certificate_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Place = CertificateLife::Place;

constexpr std::chrono::hours kDay{24};
/// After this program was built: 2027-06-01.
constexpr WallTime kLocal{std::chrono::seconds{1'811'808'000}};
constexpr const char* kHost = "https://api.example";

/// Good chains but for one certificate, which ended ten days ago.
TransportFailure ended(Place place, const std::string& name) {
  TransportFailure failure;
  failure.kind = TransportFailure::Kind::tls_time;
  failure.chain = {
      {.place = Place::server,
       .name = "leaf",
       .not_before = kLocal - kDay,
       .not_after = kLocal + kDay},
      {.place = Place::intermediate,
       .name = "issuer",
       .not_before = kLocal - 90 * kDay,
       .not_after = kLocal + 90 * kDay},
      {.place = Place::trusted,
       .name = "root",
       .not_before = kLocal - 900 * kDay,
       .not_after = kLocal + 900 * kDay},
  };
  auto& bad = failure.chain[static_cast<std::size_t>(place)];
  bad.name = name;
  bad.not_before = kLocal - 1000 * kDay;
  bad.not_after = kLocal - 10 * kDay;
  failure.not_before = kLocal - kDay;
  failure.not_after = kLocal - 10 * kDay;
  return failure;
}

TransportFailure with_report(TransportFailure failure, Duration truth) {
  failure.time_report =
      TimeReport{.offset = {truth - 10ms, truth + 10ms}, .source = "NTP (192.0.2.1:123)"};
  return failure;
}

TEST(CertificateFailure, NamesTheServersOwnCertificateAndWhoRenewsIt) {
  auto failure = with_report(ended(Place::server, "leaf"), 0s);
  failure.not_before = kLocal - 1000 * kDay;
  const auto why = why_out_of_time(failure, kHost, kLocal);
  EXPECT_EQ(why.verdict, Verdict::tls_untrusted);
  EXPECT_THAT(why.text, HasSubstr("the certificate of https://api.example (valid"));
  EXPECT_EQ(why.remedy, "ask the operator of https://api.example to renew it");
}

TEST(CertificateFailure, NamesTheIntermediateThatHasEndedAndWhoSendsIt) {
  auto failure = with_report(ended(Place::intermediate, "Issuing CA"), 0s);
  failure.not_before = kLocal - 900 * kDay;
  const auto why = why_out_of_time(failure, kHost, kLocal);
  EXPECT_EQ(why.verdict, Verdict::tls_untrusted);
  EXPECT_THAT(why.text, AllOf(HasSubstr("\"Issuing CA\" that https://api.example sends"),
                              HasSubstr("until 2027-05-22")));
  EXPECT_THAT(why.remedy, AllOf(HasSubstr("ask the operator of https://api.example"),
                                HasSubstr("send an intermediate certificate")));
}

TEST(CertificateFailure, NamesTheTrustedCertificateThatHasEndedAndThisMachine) {
  auto failure = with_report(ended(Place::trusted, "Old Root"), 0s);
  failure.not_before = kLocal - 900 * kDay;
  const auto why = why_out_of_time(failure, kHost, kLocal);
  EXPECT_THAT(why.text, HasSubstr("\"Old Root\" among those that this machine trusts"));
  EXPECT_THAT(why.remedy, AllOf(HasSubstr("this machine trusts"), HasSubstr("ca-certificates"),
                                Not(HasSubstr("api.example"))));
}

TEST(CertificateFailure, NamesItWithoutAnotherClockToo) {
  auto failure = ended(Place::trusted, "Old Root");
  failure.not_before = kLocal - 900 * kDay;
  const auto why = why_out_of_time(failure, kHost, kLocal);
  EXPECT_THAT(why.text, AllOf(HasSubstr("\"Old Root\""), HasSubstr("no other clock")));
}

TEST(CertificateFailure, NamesTheOneThatIsBadAtTheRightTimeAndNotByTheLocalClock) {
  auto failure = ended(Place::trusted, "Old Root");
  failure.chain[2].not_after = kLocal + 10 * kDay;   // it will have ended by then
  failure.chain[0].not_before = kLocal + 15 * kDay;  // not yet valid by the local clock
  failure.chain[0].not_after = kLocal + 90 * kDay;
  failure.not_before = kLocal - 900 * kDay;
  failure.not_after = kLocal + 10 * kDay;
  const auto why = why_out_of_time(with_report(failure, 20 * kDay), kHost, kLocal);
  EXPECT_EQ(why.verdict, Verdict::tls_untrusted);
  EXPECT_THAT(why.text, HasSubstr("\"Old Root\""));
}

TEST(CertificateFailure, BlamesNoClockWhereNoTimeIsGood) {
  TransportFailure failure;
  failure.kind = TransportFailure::Kind::tls_time;
  failure.not_before = kLocal + kDay;
  failure.not_after = kLocal - kDay;
  for (const WallTime local : {kLocal, WallTime{600s}}) {
    const auto why = why_out_of_time(with_report(failure, kLocal - local), kHost, local);
    EXPECT_EQ(why.verdict, Verdict::tls_untrusted);
    EXPECT_THAT(why.text, AllOf(HasSubstr("whatever the time is"), Not(HasSubstr("is wrong"))));
    EXPECT_THAT(why.remedy, HasSubstr("ask the operator of https://api.example"));
  }
}

}  // namespace
}  // namespace skewguard::oauth
