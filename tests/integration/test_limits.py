"""Out of threads or descriptors: every command ends with 6 and the reason, never by a signal."""

import json
import subprocess
import unittest

from harness import HUNG_S, SKEWGUARD, EndToEnd

COMMANDS = (("call", "GET", "/api/v2/tokens/me"), ("token",), ("whoami",), ("skew", "--json"),
            ("doctor", "--json"), ("demo", "C3"))
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


class Limits(EndToEnd):
    def setUp(self):
        self.hosts = self.emulator("--lifetime", "300s")

    def run_within(self, limit, command, *prefix):
        env = self.environment(self.hosts.login, self.hosts.api, SKEWGUARD_NTP="none")
        return subprocess.run(["prlimit", limit, *prefix, SKEWGUARD, *command], env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=HUNG_S)

    def assert_out_of(self, why, done):
        self.assertEqual((done.returncode, done.stdout), (6, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(why, done.stderr)

    def test_no_descriptor_is_left(self):
        for command in COMMANDS:
            with self.subTest(command[0]):
                self.assert_out_of("Too many open files", self.run_within("--nofile=4", command))

    def test_no_thread_is_left(self):
        if subprocess.run([*NOBODY, SKEWGUARD, "version"], capture_output=True,
                          check=False).returncode:
            self.skipTest("another user cannot run the program here")
        for command in COMMANDS:
            with self.subTest(command[0]):
                done = self.run_within("--nproc=1", command, *NOBODY)
                self.assert_out_of("Resource temporarily unavailable", done)

    def test_a_few_descriptors_are_left(self):
        for number in (5, 7, 9, 11):
            for command in COMMANDS[:-1]:
                done = self.run_within(f"--nofile={number}", command)
                with self.subTest(command[0], number=number):
                    self.assertIn(done.returncode, (0, 6), done.stderr)
                if command[0] == "doctor" and done.returncode == 0:
                    clocks = json.loads(done.stdout)["clocks"]
                    self.assertTrue(all(clock["samples"] for clock in clocks), done.stdout)

    def test_doctor_blames_the_limits_and_not_the_network(self):
        for number in (9, 11, 12, 13, 14):
            done = self.run_within(f"--nofile={number}", ("doctor", "--json"))
            with self.subTest(number=number):
                if number > 9 and done.returncode == 0:  # that many may be enough
                    clocks = json.loads(done.stdout)["clocks"]
                    self.assertTrue(all(clock["samples"] for clock in clocks), done.stdout)
                    continue
                self.assertEqual(done.returncode, 6, done.stdout + done.stderr)
                told = json.loads(done.stdout)
                self.assertIn("ulimit -a", told["fix"], done.stdout)
                self.assertNotIn("ulimit -a", told["summary"])
                self.assertTrue(all(check["fix"] for check in told["checks"]
                                    if check["name"] == "permissions"
                                    and check["status"] == "fail"), done.stdout)
                self.assertIn("open files", told["summary"])
                self.assertNotIn("heck the network", done.stdout)


if __name__ == "__main__":
    unittest.main()
