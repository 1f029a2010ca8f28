"""The programs of docs/guide/languages.md, which call the C interface from other languages, against
servers whose clocks are wrong. The library is the one beside the program under test."""

import re
import subprocess
import unittest
from pathlib import Path

from harness import HUNG_S, ROOT, SKEWGUARD, EndToEnd
from test_serve_sdk import go_environment

LIBRARY = Path(SKEWGUARD).resolve().parent / "packaging"
PACKAGE = """Name: skewguard-c
Description: as installed
Version: 0.1.0
Cflags: -I{include}
Libs: -L{library} -lskewguard-c
"""


class OtherLanguages(EndToEnd):
    def setUp(self):
        self.folder = Path(self.scratch.name)
        self.emulated = self.emulator("--login-offset", "2s", "--strict-nbf", ours_alone=False)

    def write(self, name, language):
        """The guide's only block of this language."""
        guide = (ROOT / "docs/guide/languages.md").read_text(encoding="utf-8")
        [block] = re.findall(rf"^```{language}\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
        (self.folder / name).write_text(block, encoding="utf-8")

    def run_program(self, *command, **env):
        env |= self.environment(self.emulated.login, self.emulated.api,
                                LD_LIBRARY_PATH=str(LIBRARY))
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True,
                              timeout=HUNG_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_no_secrets(done.stdout, done.stderr)
        return done.stdout

    def comes_through(self, said):
        self.assertRegex(said, r'^200 \{.*"Emulated Organization".*\}\n$')
        self.assertEqual(self.emulated.token_requests(), 1)

    def test_go(self):
        self.write("main.go", "go")
        (self.folder / "skewguard-c.pc").write_text(
            PACKAGE.format(include=ROOT / "include", library=LIBRARY), encoding="utf-8")
        self.comes_through(self.run_program("go", "run", "main.go", **go_environment(),
                                            PKG_CONFIG_PATH=str(self.folder)))

    def test_java(self):
        self.write("Request.java", "java")
        self.comes_through(self.run_program(
            "java", "-cp", "/usr/share/java/jna.jar", f"-Djna.library.path={LIBRARY}",
            "Request.java"))


if __name__ == "__main__":
    unittest.main()
