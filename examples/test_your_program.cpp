// A test of a program of yours, under skew: without a network, without waiting, in one thread. The
// program is one function, my_program(). The test's time is its own: what cures takes none.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "skewguard/client.hpp"
#include "skewguard/testing.hpp"

namespace {

using namespace std::chrono_literals;
using skewguard::testing::TestEnvironment;

/// What is tested: it asks the API once and says what came.
std::string my_program(skewguard::Client& client) {
  const auto me = client.get("/api/v2/tokens/me");
  return me ? std::to_string(me->status) : describe(me.error());
}

void expect(bool holds, const std::string& claim) {
  std::cout << (holds ? "ok: " : "FAILED: ") << claim << '\n';
  if (!holds) std::exit(1);
}

skewguard::Client client_of(const TestEnvironment& env) {
  return skewguard::Client::make(env.options(), {}, env.dependencies()).value();
}

void waits_for_a_token_of_a_login_host_that_is_ahead() {
  TestEnvironment env;
  env.login().set_offset(10s);
  auto client = client_of(env);
  expect(my_program(client) == "200", "a token that begins in ten seconds is waited for");
  expect(env.token_requests() == 1, "with that token alone");
}

void sends_no_token_that_ended_in_suspend() {
  TestEnvironment env;
  auto client = client_of(env);
  my_program(client);
  env.machine().suspend(8h);
  expect(my_program(client) == "200", "after a night in suspend it works at once");
  expect(env.refused_requests() == 0, "without a refused request");
}

void survives_a_revocation_and_a_login_host_that_fails() {
  TestEnvironment env;
  auto client = client_of(env);
  my_program(client);
  env.revoke_all();
  env.login().next({.status = 503});
  expect(my_program(client) == "200", "a revoked token is replaced, at the second try");
}

/// The program's own HTTP stack: env.send() stands for it.
void guards_a_stack_of_its_own() {
  TestEnvironment env;
  env.login().set_offset(3s);
  auto client = client_of(env);
  const auto before = client.now();
  const auto answer = client.guard([&](const skewguard::Bearer& bearer) {
    const auto result = env.send(bearer);
    if (const auto* got = std::get_if<skewguard::Exchange>(&result)) {
      std::cout << (client.now() - before) / 1s << " s: " << got->status << '\n';
    }
    return result;
  });
  expect(answer && answer->report.verdict == skewguard::Verdict::issuer_clock_ahead,
         "the verdict on the guarded call is issuer_clock_ahead");
}

}  // namespace

int main() {
  waits_for_a_token_of_a_login_host_that_is_ahead();
  sends_no_token_that_ended_in_suspend();
  survives_a_revocation_and_a_login_host_that_fails();
  guards_a_stack_of_its_own();
}
