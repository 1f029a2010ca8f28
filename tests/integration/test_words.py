"""What the program prints on standard error: how much at which log level, and when."""

import json
import os
import re
import signal
import subprocess
import unittest
from pathlib import Path

from harness import HUNG_S, SKEWGUARD, EndToEnd

ME = ("call", "GET", "/api/v2/tokens/me")


class Words(EndToEnd):
    def emulator(self, *flags, **more):
        return super().emulator(*flags, ours_alone=False, **more)  # these runs write no reports

    def said(self, emulator, *arguments, code=0, stdin=None, **more):
        """Standard error of a run with these flags alone."""
        if "ca" in emulator.said:
            more["SSL_CERT_FILE"] = emulator.said["ca"]
        done = subprocess.run([SKEWGUARD, *arguments], capture_output=True, text=True,
                              timeout=HUNG_S, input=stdin,
                              env=self.environment(emulator.login, emulator.api, **more))
        self.assertEqual(done.returncode, code, done.stderr)
        self.assert_no_secrets(done.stderr)
        return done.stderr

    def test_a_call_that_succeeds_says_nothing_unless_it_is_asked_to(self):
        emulator = self.emulator("--tls")
        self.assertEqual(self.said(emulator, *ME), "")
        tokens = self.said(emulator, *ME, "-v").splitlines()
        self.assertEqual(tokens, ["skewguard: info: token 1 (opaque) lives 1 d"])

    def test_twice_verbose_shows_what_curl_would(self):
        emulator = self.emulator("--tls", "--login-offset", "-600s")
        store = {"SKEWGUARD_TOKEN_STORE": f"file:{self.scratch.name}/s"}
        text = self.said(emulator, *ME, "-v", "-v", **store)
        for pattern in (r"connected to 127\.0\.0\.1:\d+ at 127\.0\.0\.1:\d+ \(connection 1\)",
                        r"TLSv1\.3, TLS_\w+; certificate of CN = .+, issued by CN = .+, "
                        r"valid until \d{4}-\d\d-\d\dT",
                        r"> POST /oauth/token HTTP/1\.1", r"< 200 OK, \d+ bytes, after .+; Date: ",
                        r"this server's clock less this machine's: -\d+\.\d to -\d+\.\d s",
                        r"token store: no token of this client", r"token store: the new token",
                        r"> GET /api/v2/tokens/me HTTP/1\.1"):
            self.assertRegex(text, f"(?m)^skewguard: debug: {pattern}")
        again = self.said(emulator, *ME, "-vv", **store)
        self.assertIn("token store: it has a token of this client", again)
        self.assertNotIn("POST", again)

    def test_three_times_verbose_shows_header_fields_without_their_secrets(self):
        emulator = self.emulator()
        text = self.said(emulator, *ME, "-vvv", "-H", "X-Api-Key: 123-very-secret", "-H",
                         "Accept: a/b")
        self.assertIn("trace: > Authorization: (not shown)\n", text)
        self.assertIn("trace: > X-Api-Key: (not shown)\n", text)
        self.assertIn("trace: > Accept: a/b\n", text)
        self.assertRegex(text, "trace: < ININ-Correlation-Id: [0-9a-f-]+\n")

    def test_a_connection_that_is_used_again_is_told(self):
        emulator = self.emulator("--login-offset", "1s", "--strict-nbf", "--token", "jwt")
        text = self.said(emulator, *ME, "-vv")
        self.assertIn("reusing connection 2 to ", text)
        self.assertRegex(text, r"info: \w+: waiting [\d.]+ m?s before sending the request again")

    def test_a_long_wait_is_announced_and_the_cure_told_once(self):
        emulator = self.emulator("--login-offset", "4s", "--strict-nbf", "--token", "jwt")
        lines = self.said(emulator, *ME).splitlines()
        self.assertRegex(lines[-2], r"^skewguard: info: issuer_clock_ahead: waiting [34]\.\d s ")
        self.assertRegex(lines[-1], r"^skewguard: warning: cured issuer_clock_ahead by waiting ")
        self.assertEqual(len(lines), 3)  # the first is critical: valid locally, but refused

    def test_quiet_means_quiet_when_the_call_is_cured(self):
        emulator = self.emulator("--login-offset", "4s", "--strict-nbf", "--token", "jwt")
        self.assertEqual(self.said(emulator, *ME, "-q"), "")
        error = self.said(emulator, *ME, "-q", "--max-wait", "1s", code=4)
        self.assertEqual(len(error.splitlines()), 1, error)

    def test_the_wait_for_a_limited_login_host_is_announced(self):
        emulator = self.emulator()
        emulator.order("fault", host="login", status=429, retry_after=3, times=1)
        text = self.said(emulator, *ME)
        self.assertIn("login_rate_limited: waiting 3.0 s before asking the login host again", text)

    def test_a_secret_that_looks_wrong_is_pointed_out_when_it_is_refused(self):
        emulator = self.emulator()
        for secret, hint in (('"demo-secret-7f3x"', "is in quotation marks"),
                             ("demo-secret-7f3x ", "begins or ends with a space"),
                             ("${SECRET}", "is the name of a variable (${...})"),
                             ("demo+secret", "--dialect rfc6749"),
                             ("demo-secret-7f3x", "check the client secret")):
            error = self.said(emulator, *ME, code=3, GENESYS_CLOUD_CLIENT_SECRET=secret)
            self.assertIn(hint, error)
            self.assertNotIn(secret.strip(' "'), error.replace("${...}", ""))

    def test_standard_input_is_read_once(self):
        emulator = self.emulator()
        error = self.said(emulator, "call", "POST", "/api/v2/x", "-d", "-", "--client-secret-file",
                          "-", code=2, stdin="demo-secret", GENESYS_CLOUD_CLIENT_SECRET=None)
        self.assertRegex(error, r"body \(-d -\) and the client secret \(--client-secret-file\)")
        self.assertEqual(emulator.stats()["api_requests"]["total"], 0)

    def test_the_exports_of_the_emulator_point_a_shell_at_it(self):
        script = Path(self.scratch.name) / "emulator.sh"
        with script.open("w") as out:
            emulator = subprocess.Popen(
                [SKEWGUARD, "emulate", "--tls", "--client", "id:it's $HOME \\ here", "--export",
                 "sh"], stdout=out)
        self.addCleanup(emulator.wait, HUNG_S)
        self.addCleanup(emulator.terminate)
        while not script.read_text(encoding="utf-8").endswith("# ready\n"):
            self.assertIsNone(emulator.poll())
        env = {"HOME": self.scratch.name, "PATH": os.environ["PATH"]}
        done = subprocess.run(["sh", "-ec", f'. "{script}"; "{SKEWGUARD}" whoami'], env=env,
                              capture_output=True, text=True, timeout=HUNG_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        name, _, host, token = done.stdout.splitlines()
        self.assertEqual(name, "id (client id)")
        self.assertRegex(host, r"^host https://127\.0\.0\.1:\d+$")
        self.assertRegex(token, r"^token new from the login host, valid for .+, until \d{4}-.+Z$")

    def test_an_interrupted_watch_sums_up(self):
        emulator = self.emulator("--api-offset", "600s")
        for arguments, code in (((emulator.login,), 0), ((), 4)):
            watch = subprocess.Popen([SKEWGUARD, "skew", "--watch", "--probes", "1", *arguments],
                                     stdout=subprocess.PIPE, text=True,
                                     env=self.environment(emulator.login, emulator.api,
                                                          SKEWGUARD_NTP="none"))
            self.addCleanup(watch.kill)
            header = watch.stdout.readline()
            self.assertRegex(header, "^time +server +offset +bounds +verdict")
            for _ in arguments or (1, 2):
                self.assertRegex(watch.stdout.readline(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  http")
            watch.send_signal(signal.SIGINT)
            rest = watch.communicate(timeout=HUNG_S)[0]
            self.assertEqual(watch.returncode, code, rest)
            self.assertRegex(rest, r"(?m)^\d+ rounds? in ")
            self.assertIn("; in the end: ", rest)

    def test_json_lines_carry_the_wait(self):
        emulator = self.emulator("--login-offset", "2s", "--strict-nbf", "--token", "jwt")
        lines = [json.loads(line) for line in
                 self.said(emulator, *ME, "-v", "--log-format", "json").splitlines()]
        waits = [line["wait_s"] for line in lines if "wait_s" in line]
        self.assertEqual(len(waits), 1, lines)
        self.assertTrue(re.match("waiting ", [l for l in lines if "wait_s" in l][0]["message"]))


if __name__ == "__main__":
    unittest.main()
