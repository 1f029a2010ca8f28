"""A suspend, by the kernel: the program runs in a time namespace whose CLOCK_BOOTTIME is not that
of the emulator's machine, under the same boot id."""

import os
import subprocess
import unittest

from harness import EndToEnd

ME = ("call", "GET", "/api/v2/tokens/me")


def uptime(prefix=()):
    """CLOCK_BOOTTIME in seconds, as a program behind `prefix` reads it."""
    done = subprocess.run([*prefix, "cat", "/proc/uptime"], capture_output=True, text=True,
                          check=True)
    return float(done.stdout.split()[0])


def with_boot_clock_moved(seconds):
    """What to put before a command. The kernel wants root for it, at least in a namespace."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ("unshare", *as_root, "--time", "--boottime", str(seconds), "--fork", "--")


class Suspend(EndToEnd):
    def assert_nothing_changes(self, seconds):
        prefix = with_boot_clock_moved(seconds)
        self.assertAlmostEqual(uptime(prefix) - uptime(), seconds, delta=10)
        emulator = self.emulator("--lifetime", "1h", "--strict-nbf")
        run = self.run_program(emulator, *ME, prefix=prefix)
        self.assert_came_through(run)
        self.assertEqual(emulator.token_requests(), 1)
        self.assertEqual(len(run.report["clocks"]), 2)
        for clock in run.report["clocks"]:
            self.assertLessEqual(clock["offset_low_s"], 0)
            self.assertGreaterEqual(clock["offset_high_s"], 0)
            self.assertLess(clock["offset_high_s"] - clock["offset_low_s"], 3)

    def test_boot_clock_two_hours_further(self):
        self.assert_nothing_changes(7200)

    def test_boot_clock_that_lags(self):
        # The kernel does not allow a time before the boot of the machine.
        self.assert_nothing_changes(-int(uptime() / 2))


if __name__ == "__main__":
    unittest.main()
