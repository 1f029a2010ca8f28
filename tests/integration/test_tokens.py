"""`skewguard token` prints a token that the API accepts now; processes share what they learn."""

import json
import re
import signal
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import HUNG_S, SKEWGUARD, EndToEnd

ME = "/api/v2/tokens/me"
AHEAD = ("--login-offset", "3s", "--strict-nbf", "--token", "jwt", "--lifetime", "300s")
TOOK_OVER = r"another process .* this one requests the token instead"


class Tokens(EndToEnd):
    def setUp(self):
        self.folder = Path(self.scratch.name) / self.id().split(".")[-1]
        self.store = {"SKEWGUARD_TOKEN_STORE": f"file:{self.folder}"}

    def hosts(self, *flags):
        """`token` writes no report that would be held to what they know."""
        return self.emulator(*flags, ours_alone=False)

    def token(self, emulator, *more, **settings):
        return self.run_program(emulator, "token", *more, report=False, tokens=True, **settings)

    def curl(self, emulator, header):
        """The status that the API answers to this header."""
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "@-",
                               emulator.api + ME], input=header, capture_output=True, text=True,
                              timeout=HUNG_S)
        return done.stdout

    def heads(self, emulator):
        return [r for r in emulator.api_sends() if r["method"] == "HEAD"]

    def test_t15_every_printed_token_is_taken_by_curl(self):
        emulator = self.hosts(*AHEAD)

        def one(settings):
            run = self.token(emulator, "--format", "header", **settings)
            return run.code, self.curl(emulator, run.out), run.err

        for _ in range(20):
            self.assertEqual(one(self.store)[:2], (0, "200"))
        self.assertEqual(emulator.token_requests(), 1)
        self.assertEqual([r["status"] for r in self.heads(emulator)], [401, 200])
        with ThreadPoolExecutor(20) as pool:
            for code, status, said in pool.map(one, [{}] * 20):
                self.assertEqual((code, status), (0, "200"), said)

    def test_what_was_learned_serves_the_next_token_too(self):
        emulator = self.hosts(*AHEAD)
        for more in ((), ("--force-refresh",), ("--force-refresh",)):
            self.assertEqual(self.token(emulator, *more, **self.store).code, 0)
        self.assertEqual(emulator.token_requests(), 3)
        self.assertEqual([r["status"] for r in self.heads(emulator)], [401, 200, 200, 200],
                         "the first process alone learned it the hard way")

    def test_no_verify_prints_at_once(self):
        emulator = self.hosts(*AHEAD)
        for more in ((), ("--force-refresh",)):
            self.assertEqual(self.token(emulator, "--no-verify", *more, **self.store).code, 0)
        self.assertEqual(emulator.api_sends(), [])

    def test_a_token_that_cannot_be_verified_is_not_printed(self):
        emulator = self.hosts("--login-offset", "120s", "--strict-nbf", "--token", "jwt")
        run = self.token(emulator, **self.store)
        self.assertEqual((run.code, run.out), (4, ""), run.err)
        self.assertIn("behind the login host", run.err)

    def test_with_rfc6749_it_is_verified_where_a_path_is_named(self):
        emulator = self.hosts("--lifetime", "300s")
        self.assertEqual(self.token(emulator, "--dialect", "rfc6749", **self.store).code, 0)
        self.assertEqual(emulator.api_sends(), [])
        named = ("--dialect", "rfc6749", "--verify-path", ME)
        for _ in range(2):
            self.assertEqual(self.token(emulator, *named, **self.store).code, 0)
        self.assertEqual([(r["method"], r["status"]) for r in emulator.api_sends()], [("GET", 200)])

    def test_a_cured_rejection_is_told_and_alerted(self):
        alert = Path(self.scratch.name) / "alert.json"
        emulator = self.hosts(*AHEAD)
        env = self.environment(emulator.login, emulator.api)
        done = subprocess.run([SKEWGUARD, "token", "--alert-command", f"cat > {alert}.part; "
                               f"mv {alert}.part {alert}"], env=env, capture_output=True, text=True,
                              timeout=HUNG_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cured issuer_clock_ahead by waiting", done.stderr)
        end = time.monotonic() + HUNG_S
        while not alert.exists() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(json.loads(alert.read_text(encoding="utf-8"))["verdict"],
                         "issuer_clock_ahead")

    def test_t14_of_forty_behind_a_frozen_holder_one_takes_over_and_all_use_its_token(self):
        emulator = self.hosts("--lifetime", "300s")
        emulator.order("fault", host="login", wire="silence", times=1)
        env = self.environment(emulator.login, emulator.api, **self.store)
        call = [SKEWGUARD, "call", "GET", ME]
        frozen = subprocess.Popen(call, env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while emulator.token_requests() == 0:  # it has the claim, and its answer never comes
                time.sleep(0.02)
            frozen.send_signal(signal.SIGSTOP)
            others = [subprocess.Popen(call, env=env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                      for _ in range(40)]
            errors = [other.communicate(timeout=HUNG_S)[1] for other in others]
            self.assertEqual([other.returncode for other in others], [0] * 40, errors)
            # One takes over. On a busy machine its beat may come late, or the store may not answer
            # in time, so that another one asks too; many_engines_test counts without such chances.
            self.assertIn(len(re.findall(TOOK_OVER, "".join(errors))), (1, 2), errors)
            self.assertIn(emulator.token_requests(), (2, 3, 4), errors)
        finally:
            frozen.send_signal(signal.SIGCONT)
            frozen.wait(HUNG_S)
        # It does no harm whether its answer is late or missing.
        self.assert_came_through(self.run_program(emulator, "call", "GET", ME, **self.store))
        self.assertLessEqual(emulator.token_requests(), 5)


if __name__ == "__main__":
    unittest.main()
