#include "engine/listeners.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace skewguard::engine {
namespace {

CallReport report_of(Verdict verdict) {
  CallReport report;
  report.verdict = verdict;
  return report;
}

TEST(Listeners, AreToldOfEveryCallThatWasRejectedAndOfNoOther) {
  std::vector<Verdict> verdicts;
  Hooks hooks;
  hooks.on_resolved = [&](const CallReport& report) { verdicts.push_back(report.verdict); };
  const Listeners listeners(hooks);
  listeners.resolved(report_of(Verdict::ok));
  EXPECT_TRUE(verdicts.empty());
  listeners.resolved(report_of(Verdict::token_expired));
  EXPECT_EQ(verdicts, std::vector{Verdict::token_expired});
}

TEST(Listeners, AreToldOfEveryRejection) {
  std::vector<std::string> methods;
  Hooks hooks;
  hooks.on_rejection = [&](const Rejection& rejection) { methods.emplace_back(rejection.method); };
  const Listeners listeners(hooks);
  listeners.rejected({"POST", "https://login.example.com/oauth/token", {}, {}});
  EXPECT_EQ(methods, std::vector<std::string>{"POST"});
}

TEST(Listeners, MayBeMissingOrThrow) {
  const Listeners none{Hooks{}};
  none.resolved(report_of(Verdict::token_expired));
  none.rejected({"POST", "", {}, {}});
  Hooks hooks;
  hooks.on_resolved = [](const CallReport&) { throw std::runtime_error("resolved"); };
  hooks.on_rejection = [](const Rejection&) { throw std::runtime_error("rejected"); };
  const Listeners throwing(hooks);
  EXPECT_NO_THROW(throwing.resolved(report_of(Verdict::token_expired)));
  EXPECT_NO_THROW(throwing.rejected({"POST", "", {}, {}}));
}

}  // namespace
}  // namespace skewguard::engine
