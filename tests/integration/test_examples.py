"""The examples: programs that link the library, each against servers whose clocks are wrong."""

import re
import subprocess
import unittest
from pathlib import Path

from harness import HUNG_S, ROOT, SKEWGUARD, EndToEnd

EXAMPLES = Path(SKEWGUARD).parent / "examples"
ME = ("GET", "/api/v2/tokens/me")
REVOKE = ("DELETE", "/api/v2/tokens/me")


class Examples(EndToEnd):
    def run_example(self, name, *arguments, emulator=None):
        env = self.environment(emulator.login, emulator.api) if emulator else {}
        done = subprocess.run([EXAMPLES / name, *arguments], env=env, capture_output=True,
                              text=True, timeout=HUNG_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_no_secrets(done.stdout, done.stderr)
        return done.stdout.split("\n")[:-1]

    def start_emulator(self):
        """Servers that nobody but an example asks; what it did is told by them alone."""
        return self.emulator("--login-offset", "3s", "--strict-nbf", ours_alone=False)

    def sends(self, emulator):
        """(method, status, number of the token) of each request that carried one."""
        return [(r["method"], r["status"], r["token"]) for r in emulator.api_sends()
                if r.get("token")]

    def comes_through_skew(self, name, *arguments):
        """Both hosts' clocks differ: the same token is sent again when it has begun."""
        emulator = self.start_emulator()
        out = self.run_example(name, *arguments, emulator=emulator)
        self.assertEqual(out[0], "200")
        sends = self.sends(emulator)
        self.assertEqual(sends[0], ("GET", 401, 1))
        self.assertEqual(sends[-1], ("GET", 200, 1))
        self.assertLessEqual(len(sends), 3)
        self.assertEqual(emulator.token_requests(), 1)

    def comes_through_revocation(self, name):
        emulator = self.start_emulator()
        self.assertEqual(self.run_example(name, *ME, *REVOKE, *ME, emulator=emulator),
                         ["200", "204", "200"])
        sends = self.sends(emulator)
        revoked = sends.index(("DELETE", 204, 1))
        self.assertEqual(sends[revoked + 1], ("GET", 401, 1))
        self.assertEqual(sends[-1], ("GET", 200, 2))
        self.assertEqual(emulator.token_requests(), 2)

    def test_libcurl_comes_through_skew(self):
        self.comes_through_skew("guard_with_libcurl", *ME)

    def test_libcurl_comes_through_revocation(self):
        self.comes_through_revocation("guard_with_libcurl")

    def test_leases_come_through_skew(self):
        self.comes_through_skew("lease_with_libcurl", *ME)

    def test_leases_come_through_revocation(self):
        self.comes_through_revocation("lease_with_libcurl")

    def test_beast_comes_through_skew(self):
        self.comes_through_skew("guard_with_beast", *ME)

    def test_beast_comes_through_revocation(self):
        self.comes_through_revocation("guard_with_beast")

    def test_a_coroutine_comes_through_skew(self):
        self.comes_through_skew("asio_coroutine")

    def test_the_guarded_stacks_keep_their_answers_for_the_caller(self):
        """A status that is not about the token is the caller's."""
        emulator = self.start_emulator()
        for name in ("guard_with_libcurl", "guard_with_beast", "lease_with_libcurl"):
            self.assertEqual(self.run_example(name, "GET", "/api/v2/authorization/roles", "GET",
                                              "/nowhere", "HEAD", ME[1], emulator=emulator),
                             ["403", "404", "200"])

    def test_your_program_is_tested_without_waiting(self):
        out = self.run_example("test_your_program")
        refused, taken = [line for line in out if " s: " in line]
        self.assertEqual((refused, taken), ("0 s: 401", "3 s: 200"))
        self.assertEqual([line for line in out if line.startswith("ok: ")],
                         [line for line in out if " s: " not in line])
        self.assertEqual(len(out), 8)

    def test_the_guide_quotes_the_examples(self):
        for heading, example, at_least in (
                ("Requests that your own stack sends", "lease_with_libcurl", 1),
                ("Test your own program under skew", "test_your_program", 2)):
            with self.subTest(example):
                self.quotes(heading, example, at_least)

    def quotes(self, heading, example, at_least):
        quoted = (ROOT / "docs/guide/library.md").read_text(encoding="utf-8")
        source = (ROOT / f"examples/{example}.cpp").read_text(encoding="utf-8")
        part = quoted.split(f"## {heading}\n")[1].split("\n## ")[0]
        blocks = re.findall(r"^```cpp\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
        self.assertGreaterEqual(len(blocks), at_least)
        for block in blocks:
            for function in re.sub(r"^#include.*\n", "", block, flags=re.MULTILINE).split("\n\n"):
                self.assertIn(function.strip("\n"), source)


if __name__ == "__main__":
    unittest.main()
