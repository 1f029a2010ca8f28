"""SNTP against Debian's chronyd, on loopback: servers whose clocks are off by a known amount."""

import json
import subprocess
import unittest
from pathlib import Path

import ntp
from harness import HUNG_S, SKEWGUARD, EndToEnd

ASK_NTP = str(Path(SKEWGUARD).parent / "tests/integration/ask_ntp")


class Sntp(EndToEnd):
    def chronyds(self, *offsets, **more):
        return ntp.chronyds(self, self.addCleanup, *offsets, **more)

    def ask(self, count, *names):
        done = subprocess.run([ASK_NTP, str(count), *names], capture_output=True, text=True,
                              timeout=HUNG_S, check=True)
        return json.loads(done.stdout)

    def assert_holds(self, bound, offset, widest):
        self.assertLessEqual(bound[0], offset)
        self.assertGreaterEqual(bound[1], offset)
        self.assertLess(bound[1] - bound[0], widest)

    def test_the_interval_holds_the_servers_clock(self):
        offsets = (0, 0.25, -3.7)
        answers = self.ask(2, *self.chronyds(*offsets))["servers"]
        for offset, answer in zip(offsets, answers):
            self.assertEqual(answer["failure"], "")
            self.assert_holds(answer["server"], offset, 0.05)
            self.assert_holds(answer["truth"], offset, 0.1)
            self.assertLessEqual(answer["truth"][0], answer["server"][0])

    def test_the_one_false_source_of_four_is_named(self):
        names = self.chronyds(0, 0, 0.25, 0)
        told = self.ask(1, *names)
        self.assertEqual(told["falsetickers"], [names[2]])
        self.assert_holds(told["agreed"], 0, 0.05)

    def test_two_against_two_are_no_majority(self):
        told = self.ask(1, *self.chronyds(0, 0, -3.7, -3.7))
        self.assertIsNone(told["agreed"])
        self.assertEqual(told["falsetickers"], [])

    def test_a_server_that_does_not_know_the_time_says_so(self):
        name, = self.chronyds(0, directives=())
        answer, = self.ask(1, name)["servers"]
        self.assertNotIn("server", answer)
        self.assertIn("not synchronized", answer["failure"])

    def test_nobody_there_is_told(self):
        name = f"127.0.0.1:{ntp.free_port()}"
        answer, = self.ask(1, name)["servers"]
        self.assertIn("refused", answer["failure"])


if __name__ == "__main__":
    unittest.main()
