"""The release binaries are built so that a bug is harder to exploit (cmake/Skewguard.cmake)."""

import platform
import re
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

    def each(self):
        for binary in self.binaries():
            with self.subTest(binary.name):
                yield binary

    def test_it_can_be_loaded_anywhere(self):
        for binary in self.each():
            self.assertRegex(readelf(binary, "-h"), r"Type: +DYN")

    def test_no_memory_can_be_written_and_run(self):
        for binary in self.each():
            segments = readelf(binary, "-l")
            stack = re.search(r"GNU_STACK .*", segments)
            self.assertIsNotNone(stack)
            self.assertNotIn("RWE", segments)

    def test_the_tables_of_the_linker_are_read_only(self):
        for binary in self.each():
            self.assertIn("GNU_RELRO", readelf(binary, "-l"))
            self.assertRegex(readelf(binary, "-d"), r"BIND_NOW|FLAGS_1.* NOW")

    def test_the_stack_is_guarded_and_buffers_are_checked(self):
        for binary in self.each():
            symbols = readelf(binary, "--dyn-syms")
            self.assertIn("__stack_chk_fail", symbols)
            self.assertRegex(symbols, r"UND __\w+_chk@")

    def test_jumps_and_returns_are_guarded(self):
        if platform.machine() != "x86_64":
            return  # a feature of x86
        for binary in self.each():
            self.assertRegex(readelf(binary, "-n"), r"x86 feature:.*IBT.*SHSTK")


if __name__ == "__main__":
    unittest.main()
