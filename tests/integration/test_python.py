"""The Python package: each file of tests/python under Debian's pytest, and the ways the usual
tutorial's program ends."""

import os
import re
import subprocess
import unittest
from pathlib import Path

from harness import HUNG_S, ROOT, SKEWGUARD, EndToEnd

PYTHON = "/usr/bin/python3"  # the one that Debian's packages belong to
PACKAGE = Path(SKEWGUARD).resolve().parent / "python"
TESTS = ROOT / "tests/python"


def environment(**more):
    env = {name: value for name, value in os.environ.items()
           if not re.match("PYTHON|GENESYS|HTTPS?_PROXY", name, re.I)}
    return env | {"PYTHONPATH": str(PACKAGE), "SKEWGUARD": str(Path(SKEWGUARD).resolve())} | more


class PythonPackage(unittest.TestCase):
    def run_file(self, name):
        done = subprocess.run(
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS / f"{name}.py"],
            env=environment(), cwd=TESTS, capture_output=True, text=True, timeout=4 * HUNG_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("skipped", done.stdout.splitlines()[-1])


def add_tests():
    for file in sorted(TESTS.glob("test_*.py")):
        if file.stem == "test_stand_in":  # test_serve_languages runs it
            continue
        setattr(PythonPackage, file.stem, lambda self, name=file.stem: self.run_file(name))


add_tests()


class CurrentUser(EndToEnd):
    """examples/python/current_user.py, with a stand-in for the SDK."""

    def run_example(self, emulator, **more):
        env = self.environment(emulator.login, emulator.api, **more)
        done = subprocess.run([PYTHON, ROOT / "examples/python/current_user.py"],
                              env=environment() | env | {"PYTHONPATH": f"{PACKAGE}:{TESTS}"},
                              capture_output=True, text=True, timeout=HUNG_S)
        self.assert_no_secrets(done.stdout, done.stderr)
        return done

    def test_it_prints_the_user_and_what_the_clocks_did(self):
        emulator = self.emulator("--login-offset", "3s", "--strict-nbf", "--user", "Ada",
                                 ours_alone=False)
        done = self.run_example(emulator)
        self.assertEqual(done.stdout, "Current user: Ada\n", done.stderr)
        self.assertIn("CRITICAL current_user: Token was rejected by api although", done.stderr)
        self.assertEqual(emulator.token_requests(), 1)

    def test_it_says_why_there_is_no_user(self):
        emulator = self.emulator(ours_alone=False)
        done = self.run_example(emulator)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn("ERROR", done.stderr)


if __name__ == "__main__":
    unittest.main()
