"""The release binaries are built so that a bug is harder to exploit (cmake/Skewguard.cmake)."""

import platform
import subprocess
import unittest
from pathlib import Path

from harness import SKEWGUARD


def readelf(binary, *flags):
    return subprocess.run(["readelf", "-W", *flags, str(binary)], capture_output=True, text=True,
                          check=True).stdout


class Hardening(unittest.TestCase):
    """The program, and the library beside it where it is built."""

    def binaries(self):
        program = Path(SKEWGUARD)
        yield program
        yield from program.parent.glob("packaging/libskewguard.so")

    def each(self, holds):
        for binary in self.binaries():
            with self.subTest(binary.name):
                holds(binary)

    def test_it_can_be_loaded_anywhere(self):
        self.each(lambda binary: self.assertRegex(readelf(binary, "-h"), r"Type: +DYN"))

    def test_no_memory_can_be_written_and_run(self):
        def holds(binary):
            segments = readelf(binary, "-l")
            self.assertIn("GNU_STACK", segments)
            self.assertNotIn("RWE", segments)
        self.each(holds)

    def test_the_tables_of_the_linker_are_read_only(self):
        def holds(binary):
            self.assertIn("GNU_RELRO", readelf(binary, "-l"))
            self.assertRegex(readelf(binary, "-d"), r"BIND_NOW|FLAGS_1.* NOW")
        self.each(holds)

    def test_the_stack_is_guarded_and_buffers_are_checked(self):
        def holds(binary):
            symbols = readelf(binary, "--dyn-syms")
            self.assertIn("__stack_chk_fail", symbols)
            self.assertRegex(symbols, r"UND __\w+_chk@")
        self.each(holds)

    def test_jumps_are_guarded(self):
        """Debian's startup files are not marked, so the binary is not; its functions are."""
        if platform.machine() != "x86_64":
            return
        endbr64 = bytes.fromhex("f30f1efa")
        self.each(lambda binary: self.assertGreater(binary.read_bytes().count(endbr64), 1000))


if __name__ == "__main__":
    unittest.main()
