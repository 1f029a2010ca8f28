"""SNTP against Debian's chronyd, on loopback: servers whose clocks are off by a known amount."""

import json
import os
import shutil
import socket
import subprocess
import time
import unittest
from pathlib import Path

from harness import SKEWGUARD, EndToEnd

ASK_NTP = str(Path(SKEWGUARD).parent / "tests/integration/ask_ntp")
CHRONYD = shutil.which("chronyd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Chronyd:
    """Serves the time of a clock that is `offset` seconds ahead. It sets no clock (-x)."""

    def __init__(self, test, offset, *directives):
        self.name = f"127.0.0.1:{free_port()}"
        folder = Path(test.scratch.name) / self.name.replace(":", "_")
        env = {**os.environ, "LD_PRELOAD": test.preload, "SKEWGUARD_TEST_WALL_OFFSET": str(offset)}
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True)
        self.process = subprocess.Popen(
            [CHRONYD, "-d", "-x", "-u", user.stdout.strip(), "allow 127.0.0.1",
             "bindaddress 127.0.0.1", f"port {self.name.split(':')[1]}", "cmdport 0",
             "bindcmdaddress /", f"pidfile {folder}.pid", *directives],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
        test.addCleanup(self.stop)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Sntp(EndToEnd):
    def chronyds(self, *offsets, directives=("local stratum 8",)):
        servers = [Chronyd(self, offset, *directives) for offset in offsets]
        for server in servers:
            self.wait_for_answer(server)
        return [server.name for server in servers]

    def wait_for_answer(self, server):
        """Any answer to an empty request of version 4."""
        host, port = server.name.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect((host, int(port)))
            asking.settimeout(0.1)
            for _ in range(100):
                self.assertIsNone(server.process.poll(), "chronyd has ended")
                try:
                    asking.send(b"\x23" + bytes(47))
                    return asking.recv(100)
                except (ConnectionRefusedError, TimeoutError):
                    time.sleep(0.05)
        self.fail("chronyd does not answer")

    def ask(self, count, *names):
        done = subprocess.run([ASK_NTP, str(count), *names], capture_output=True, text=True,
                              timeout=60, check=True)
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
        self.assertIn("not synchronised", answer["failure"])

    def test_nobody_there_is_told_at_once(self):
        name = f"127.0.0.1:{free_port()}"
        start = time.monotonic()
        answer, = self.ask(1, name)["servers"]
        self.assertIn("refused", answer["failure"])
        self.assertLess(time.monotonic() - start, 2)


if __name__ == "__main__":
    unittest.main()
