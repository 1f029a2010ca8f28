#include "clocks/certificate_time.hpp"

#include <gtest/gtest.h>

namespace skewguard::clocks {
namespace {

using namespace std::chrono_literals;
using enum CertificateFault;

constexpr std::chrono::hours kDay{24};
/// After this program was built: 2027-06-01.
constexpr WallTime kLocal{std::chrono::seconds{1'811'808'000}};
constexpr WallTime k1970{std::chrono::seconds{600}};

/// Good from a day after the local clock's time on, for 90 days.
OutOfTime not_yet(std::optional<OffsetBound> truth = std::nullopt) {
  return {.local = kLocal,
          .not_before = kLocal + kDay,
          .not_after = kLocal + 91 * kDay,
          .truth = truth};
}
/// Good until a day before.
OutOfTime expired(std::optional<OffsetBound> truth = std::nullopt) {
  return {.local = kLocal,
          .not_before = kLocal - 91 * kDay,
          .not_after = kLocal - kDay,
          .truth = truth};
}
OffsetBound about(Duration offset) {
  return {offset - 10ms, offset + 10ms};
}

TEST(CertificateFault, IsTheLocalClocksFaultWhereARefereesTimeMakesItGood) {
  EXPECT_EQ(fault_of(not_yet(about(2 * kDay))), local_clock);
  EXPECT_EQ(fault_of(expired(about(-2 * kDay))), local_clock);
}

TEST(CertificateFault, IsTheCertificatesFaultWhereTheLocalClockIsRight) {
  EXPECT_EQ(fault_of(not_yet(about(0s))), certificate);
  EXPECT_EQ(fault_of(expired(about(0s))), certificate);
}

TEST(CertificateFault, IsTheCertificatesFaultWhereTheRightTimeIsOutsideItToo) {
  EXPECT_EQ(fault_of(not_yet(about(-2 * kDay))), certificate);
  EXPECT_EQ(fault_of(not_yet(about(92 * kDay))), certificate);
  EXPECT_EQ(fault_of(expired(about(2 * kDay))), certificate);
  EXPECT_EQ(fault_of(expired(about(-92 * kDay))), certificate);
}

TEST(CertificateFault, LooksAtTheEndsAsX509Does) {
  EXPECT_EQ(fault_of(not_yet(OffsetBound{kDay, kDay})), local_clock);
  EXPECT_EQ(fault_of(not_yet(OffsetBound{kDay - 1ns, kDay - 1ns})), certificate);
  EXPECT_EQ(fault_of(not_yet(OffsetBound{kDay - 1s, kDay})), local_clock);
  EXPECT_EQ(fault_of(not_yet(OffsetBound{91 * kDay - 1ns, 91 * kDay})), local_clock);
  EXPECT_EQ(fault_of(not_yet(OffsetBound{91 * kDay, 92 * kDay})), certificate);
}

TEST(CertificateFault, BlamesNoClockForASecond) {
  OutOfTime just{.local = kLocal, .not_before = kLocal + 500ms, .truth = OffsetBound{1s, 2s}};
  EXPECT_EQ(fault_of(just), certificate);
  just.truth = OffsetBound{1001ms, 2s};
  EXPECT_EQ(fault_of(just), local_clock);
}

TEST(CertificateFault, IsNotKnownWithoutAReferee) {
  EXPECT_EQ(fault_of(not_yet()), unknown);
  EXPECT_EQ(fault_of(expired()), unknown);
  EXPECT_EQ(behind_at_least(kLocal), 0s);
}

TEST(CertificateFault, IsTheLocalClocksFaultWhereItShowsATimeBeforeThisProgramWasMade) {
  OutOfTime certificate{.local = k1970, .not_before = kLocal, .not_after = kLocal + kDay};
  EXPECT_EQ(fault_of(certificate), local_clock);
  EXPECT_GT(behind_at_least(k1970), 56 * 365 * kDay);
  EXPECT_LT(k1970 + behind_at_least(k1970), kLocal);
  certificate.not_before = certificate.not_after = std::nullopt;
  EXPECT_EQ(fault_of(certificate), local_clock);
}

TEST(CertificateFault, IsNotKnownFromTheDayOnWhichThisProgramWasMade) {
  const WallTime made = k1970 + behind_at_least(k1970);
  EXPECT_EQ(fault_of({.local = made, .not_before = made + kDay}), unknown);
  EXPECT_EQ(fault_of({.local = made - 1ns, .not_before = made + kDay}), local_clock);
}

TEST(CertificateFault, ForgivesNoCertificateThatEndedBeforeThisProgramWasMade) {
  EXPECT_EQ(fault_of({.local = k1970, .not_after = WallTime{1'700'000'000s}}), both);
  EXPECT_EQ(fault_of({.local = k1970, .not_before = kLocal + 40 * 365 * kDay}), both);
}

TEST(CertificateFault, ForgivesCertificatesOfTheNextTwentyYears) {
  const WallTime last = k1970 + behind_at_least(k1970) + 20 * 365 * kDay;
  EXPECT_EQ(fault_of({.local = k1970, .not_before = last}), local_clock);
  EXPECT_EQ(fault_of({.local = k1970, .not_before = last + 1ns}), both);
}

TEST(CertificateFault, IsNobodysClockWhereNoTimeIsGood) {
  for (const Duration length : {Duration{0}, Duration{-kDay}}) {
    for (const auto& truth :
         {std::optional<OffsetBound>(), std::optional(about(0s)), std::optional(about(3 * kDay))}) {
      for (const WallTime local : {kLocal, k1970}) {
        EXPECT_EQ(fault_of({.local = local,
                            .not_before = kLocal,
                            .not_after = kLocal + length,
                            .truth = truth}),
                  never);
      }
    }
  }
}

TEST(CertificateChain, TheFirstThatIsNotValidIsReported) {
  TransportFailure failure;
  failure.chain = {
      {.name = "server", .not_before = kLocal - kDay, .not_after = kLocal + kDay},
      {.place = CertificateLife::Place::intermediate,
       .name = "issuer",
       .not_before = kLocal - 2 * kDay,
       .not_after = kLocal},
  };
  EXPECT_EQ(not_valid_at(failure, kLocal - 1ns), nullptr);
  ASSERT_NE(not_valid_at(failure, kLocal), nullptr);
  EXPECT_EQ(not_valid_at(failure, kLocal)->name, "issuer");
  EXPECT_EQ(not_valid_at(failure, kLocal + kDay)->name, "server");
  EXPECT_EQ(not_valid_at(failure, kLocal - kDay - 1ns)->name, "server");
  EXPECT_EQ(not_valid_at({}, kLocal), nullptr);
}

TEST(CertificateFault, StandsAnyTime) {
  OutOfTime odd{.local = WallTime::max(), .not_after = kLocal, .truth = about(100 * 365 * kDay)};
  EXPECT_EQ(fault_of(odd), certificate);
  odd.local = WallTime::min();
  odd.truth.reset();
  EXPECT_EQ(fault_of(odd), local_clock);
  EXPECT_EQ(behind_at_least(WallTime::min()), Duration::max());
}

}  // namespace
}  // namespace skewguard::clocks
