"""The C interface as C programs meet it: the header by itself, and the example, compiled as C99 and
run against servers whose clocks are wrong. The library is the one beside the program under test."""

import re
import socket
import subprocess
import unittest
from pathlib import Path

from harness import HUNG_S, ROOT, SKEWGUARD, EndToEnd

LIBRARY = Path(SKEWGUARD).parent / "packaging"
HEADER = ROOT / "include/skewguard/skewguard.h"
EXAMPLE = ROOT / "examples/c/requests.c"
C99 = ["cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect"]
ME = ("GET", "/api/v2/tokens/me")
REVOKE = ("DELETE", "/api/v2/tokens/me")


# Ends in the middle of its calls: after argv[2] ns, and without freeing anything unless argv[3].
ENDS_EARLY = """
#include <stdlib.h>
#include "skewguard/skewguard.h"
int main(int argc, char** argv) {
  const char* keys[] = {"config", "login_url", "api_url", "client_id", "client_secret"};
  const char* values[] = {"/dev/null", argv[1], argv[1], "id", "secret"};
  skewguard_client* client = skewguard_client_new(keys, values, 5, NULL);
  if (client == NULL) return 1;
  skewguard_listen(client, SKEWGUARD_EVENT_LOG, SKEWGUARD_TRACE, NULL, 0);
  for (int i = 0; i < 20; ++i) skewguard_guard_begin(client, "GET", "/", 0, -1, NULL, 0, NULL);
  skewguard_call* call = skewguard_guard_begin(client, "GET", "/", 0, -1, NULL, 0, NULL);
  if (skewguard_call_next(call, atol(argv[2])) != SKEWGUARD_WAITING) return 2;
  if (argc > 3) skewguard_client_free(client);
  return 0;
}
"""


def run(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          timeout=HUNG_S, check=False, **more)


class CHeader(unittest.TestCase):
    def assert_compiles(self, *compiler):
        done = run(*compiler, "-fsyntax-only", HEADER)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_it_is_strict_c99(self):
        self.assert_compiles(*C99, "-Wno-pragma-once-outside-header", "-xc")

    def test_it_is_cpp(self):
        for standard in ("c++98", "c++20"):
            self.assert_compiles("c++", f"-std={standard}", "-pedantic", "-Wall", "-Wextra",
                                 *(["-Wno-long-long"] if standard == "c++98" else []), "-Werror",
                                 "-xc++")

    def test_other_languages_read_it_without_a_preprocessor(self):
        """What is left without the lines of the preprocessor and the C++ blocks is all there is."""
        text = HEADER.read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"^#\s*define (?!SKEWGUARD_SKEWGUARD_H).*", text, re.MULTILINE),
                         [])
        self.assertNotRegex(text, r"__\w+__|\bextern (?!\"C\")|\bstatic\b|\binline\b")


class CExample(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = cls.compiled("plain")
        cls.sanitized = cls.compiled("sanitized", *SANITIZED)

    @classmethod
    def compiled(cls, name, *flags, source=EXAMPLE):
        program = Path(cls.scratch.name) / name
        done = run(*C99, *flags, "-I", ROOT / "include", source, "-L", LIBRARY, "-lskewguard-c",
                   "-lcurl", "-o", program)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return program

    def run_example(self, emulator, *arguments, command=()):
        env = self.environment(emulator.login, emulator.api, LD_LIBRARY_PATH=str(LIBRARY))
        done = run(*(command or [self.plain]), *arguments, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_no_secrets(done.stdout, done.stderr)
        return done.stdout.split()

    def comes_through(self, *command):
        """A token that is not valid yet, unless the program takes seconds to send it, and one that
        is revoked. Returns the sends."""
        emulator = self.emulator("--login-offset", "3s", "--strict-nbf", ours_alone=False)
        self.assertEqual(self.run_example(emulator, *ME, *ME, *REVOKE, *ME, command=command),
                         ["200", "200", "204", "200"])
        sends = [(r["method"], r["status"], r["token"]) for r in emulator.api_sends()
                 if r.get("token")]
        revoked = sends.index(("DELETE", 204, 1))
        self.assertEqual(sends[revoked - 2:revoked], [("GET", 200, 1)] * 2)  # one is leased
        self.assertEqual(sends[revoked + 1:revoked + 2], [("GET", 401, 1)])
        self.assertEqual(sends[-1], ("GET", 200, 2))
        self.assertEqual(emulator.token_requests(), 2)
        return sends

    def test_the_example_comes_through_skew_and_revocation(self):
        self.assertEqual(self.comes_through()[0], ("GET", 401, 1))

    def test_address_sanitizer_finds_nothing(self):
        self.comes_through(self.sanitized)

    def test_valgrind_finds_nothing(self):
        self.comes_through(*VALGRIND, self.plain)

    def test_each_of_them_finds_a_call_that_is_not_freed_or_used_afterwards(self):
        source = EXAMPLE.read_text(encoding="utf-8")
        freed = "  skewguard_call_free(call);\n"
        self.assertEqual(source.count(freed), 1)
        emulator = self.emulator(ours_alone=False)
        env = self.environment(emulator.login, emulator.api, LD_LIBRARY_PATH=str(LIBRARY))
        for name, planted in (("leak", ""), ("use", freed + "  skewguard_call_status(call);\n")):
            path = Path(self.scratch.name) / f"{name}.c"
            path.write_text(source.replace(freed, planted), encoding="utf-8")
            for tool, flags, command in (("asan", SANITIZED, []), ("valgrind", ["-g"], VALGRIND)):
                with self.subTest(name, tool=tool):
                    program = self.compiled(f"{name}_{tool}", *flags, source=path)
                    self.assertNotEqual(run(*command, program, *ME, env=env).returncode, 0)

    def test_many_calls_are_told_by_one_descriptor(self):
        emulator = self.emulator("--login-offset", "3s", "--strict-nbf", ours_alone=False)
        program = self.compiled("many_calls", *SANITIZED, source=EXAMPLE.parent / "many_calls.c")
        env = self.environment(emulator.login, emulator.api, LD_LIBRARY_PATH=str(LIBRARY))
        done = run(program, *[ME[1]] * 50, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_no_secrets(done.stdout, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual([line for line in lines if ": 200, " in line], lines[:50])
        self.assertRegex(lines[50], rf"^{emulator.login} is \d\.\d to \d\.\d s ahead$")
        self.assertEqual(len(lines), 52)
        self.assertIn("info ", done.stderr)
        self.assertEqual(emulator.token_requests(), 1)

    def test_a_program_may_end_in_the_middle_of_its_calls(self):
        source = Path(self.scratch.name) / "ends_early.c"
        source.write_text(ENDS_EARLY, encoding="utf-8")
        program = self.compiled("ends_early", source=source)
        with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            for wait in range(0, 2_000_000, 100_000):
                for freeing in ([], ["free"]):
                    done = run(program, url, wait, *freeing,
                               env={"LD_LIBRARY_PATH": str(LIBRARY)})
                    self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_guide_quotes_what_runs(self):
        guide = (ROOT / "docs/guide/c.md").read_text(encoding="utf-8")
        programs = [p.read_text(encoding="utf-8") for p in EXAMPLE.parent.glob("*.c")]
        blocks = re.findall(r"^```c\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
        self.assertGreater(len(blocks), 4)
        for block in blocks:
            self.assertTrue(any(block in program for program in programs), block)

    def test_it_says_what_is_missing(self):
        done = run(self.plain, env={"HOME": self.scratch.name, "LD_LIBRARY_PATH": str(LIBRARY)})
        self.assertEqual(done.returncode, 2)
        self.assertIn("missing settings", done.stderr)


if __name__ == "__main__":
    unittest.main()
