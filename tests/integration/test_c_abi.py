"""What C programs were built for stays: functions, arguments, structs and numbers. If the interface
has grown: tools/c_abi.py record, and skewguard_abi() returns one more."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import HUNG_S, ROOT, SKEWGUARD

sys.path.insert(0, str(ROOT / "tools"))
import c_abi  # noqa: E402

LIBRARY = Path(SKEWGUARD).parent / "packaging" / c_abi.SONAME


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          timeout=HUNG_S, check=False)


class CAbi(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def compared(self, old="", new=""):
        """abidiff's exit status and words, for a header in which `new` stands for `old`."""
        text = c_abi.HEADER.read_text(encoding="utf-8")
        if old:
            self.assertEqual(text.count(old), 1, old)
        header = self.folder / "skewguard.h"
        header.write_text(text.replace(old, new) if old else text, encoding="utf-8")
        library = self.folder / c_abi.SONAME
        c_abi.build_library(header, library)
        done = run("abidiff", c_abi.ABI, library)
        return done.returncode, done.stdout + done.stderr

    def test_the_header_is_as_it_was(self):
        self.assertEqual(self.compared(), (0, ""))

    def test_abidiff_finds_each_kind_of_break(self):
        for what, old, new, said in (
                ("a removed function", "void skewguard_call_cancel(skewguard_call* call);", "",
                 "1 Removed"),
                ("a changed struct", "  uint64_t samples; ", "  uint32_t samples; ", "samples"),
                ("a struct that has grown", "  int64_t raw; ", "  int64_t more, raw; ",
                 "skewguard_moment"),
                ("another argument", "skewguard_call_next(skewguard_call* call, int64_t wait)",
                 "skewguard_call_next(skewguard_call* call, int32_t wait)", "1 Changed"),
                ("another number", "SKEWGUARD_JUDGE = 1", "SKEWGUARD_JUDGE = 2",
                 "SKEWGUARD_JUDGE")):
            with self.subTest(what):
                status, words = self.compared(old, new)
                self.assertEqual(status & 4, 4, words)  # "the ABI has changed"
                self.assertIn(said, words)

    def differences(self, library):
        """What the symbols file and a library do not have in common."""
        listed = re.findall(r"^ (\S+) \S+$", c_abi.SYMBOLS.read_text(encoding="utf-8"),
                            re.MULTILINE)
        done = run("nm", "-D", "--defined-only", library)
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [line.split()[-1].replace("@@", "@") for line in done.stdout.splitlines()]
        exported = {f"{n}@{n}" if n == c_abi.NODE else n for n in names}
        return exported.symmetric_difference(listed)

    def test_the_library_exports_what_the_symbols_file_lists(self):
        self.assertEqual(self.differences(LIBRARY), set())
        first = c_abi.SYMBOLS.read_text(encoding="utf-8").splitlines()[0]
        self.assertEqual(first, f"{c_abi.SONAME} libskewguard-c0 #MINVER#")
        self.assertRegex(run("objdump", "-p", LIBRARY).stdout,
                         rf"SONAME +{re.escape(c_abi.SONAME)}\n")

    def test_the_library_is_never_unloaded(self):
        """The process calls it at fork()."""
        self.assertRegex(run("readelf", "-d", LIBRARY).stdout, r"FLAGS_1.*\bNODELETE\b")

    def test_the_symbols_file_and_nm_find_a_function_too_few_or_too_many(self):
        for old, new, name in (
                ("void skewguard_call_cancel(skewguard_call* call);", "", "skewguard_call_cancel"),
                ("int32_t skewguard_abi(void);",
                 "int32_t skewguard_abi(void);\nint skewguard_x(void);", "skewguard_x")):
            self.compared(old, new)
            found = self.differences(self.folder / c_abi.SONAME)
            found.discard("skewguard_numbers@" + c_abi.NODE)  # of the comparison itself
            self.assertEqual(found, {f"{name}@{c_abi.NODE}"})


if __name__ == "__main__":
    unittest.main()
