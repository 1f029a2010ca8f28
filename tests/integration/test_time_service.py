"""What this machine says of its clock, with a chronyd of the test's own: it serves its own clock, a
second one follows it, and neither touches this machine's (-x).

The program is $TIME_SERVICE_REPORT, else the one that the preset `dev` builds.
"""

import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import HUNG_S, ROOT, build_preload
from ntp import free_port

REPORT = os.environ.get("TIME_SERVICE_REPORT",
                        str(ROOT / "build/dev/tests/integration/time_service_report"))
CHRONYD = next((p for p in ("/usr/sbin/chronyd", "/sbin/chronyd", "/usr/bin/chronyd")
                if os.access(p, os.X_OK)), "chronyd")
AHEAD_S = 5


def width(said):
    return said["offset_high_s"] - said["offset_low_s"]


class TimeService(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def chronyd(self, name, *lines, **environment):
        """Starts one and returns the port at which chronyc finds it."""
        port = free_port()
        config = self.folder / f"{name}.conf"
        config.write_text("\n".join([
            f"cmdport {port}", "bindcmdaddress 127.0.0.1",
            f"bindcmdaddress {self.folder}/{name}.sock", f"pidfile {self.folder}/{name}.pid",
            *lines]) + "\n", encoding="utf-8")
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout
        process = subprocess.Popen(
            [CHRONYD, "-n", "-x", "-u", user.strip(), "-f", str(config)],
            env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, HUNG_S)
        self.addCleanup(process.terminate)
        return port

    def server(self):
        """One whose clock is ahead. Returns its port for NTP."""
        port = free_port()
        self.chronyd("server", f"port {port}", "bindaddress 127.0.0.1", "local stratum 3",
                     "allow 127.0.0.1", LD_PRELOAD=build_preload(self.folder),
                     SKEWGUARD_TEST_WALL_OFFSET=str(AHEAD_S))
        return port

    def report(self, port):
        done = subprocess.run([REPORT, "-h", "127.0.0.1", "-p", str(port)], capture_output=True,
                              text=True, check=True, timeout=HUNG_S)
        report = json.loads(done.stdout)
        return report, next(s for s in report["services"] if s["name"] == "chronyd")

    def until(self, port, wanted):
        """The first answer of which `wanted` holds."""
        end = time.monotonic() + HUNG_S
        while True:
            report, chronyd = self.report(port)
            if wanted(chronyd) or time.monotonic() > end:
                return report, chronyd
            time.sleep(0.2)

    def test_a_chronyd_that_follows_a_server_ahead(self):
        server = self.server()
        port = self.chronyd("client", "port 0",
                            f"server 127.0.0.1 port {server} iburst minpoll -6 maxpoll -6")
        # chronyd's own bound is wide at first, and narrows with each answer of the server.
        report, said = self.until(port, lambda s: s.get("synchronized") and width(s) < 1)
        self.assertIs(said.get("synchronized"), True, said)
        self.assertTrue(said["installed"] and said["running"])
        self.assertEqual(said["source"], "127.0.0.1")
        self.assertEqual(said["sources"], ["127.0.0.1:123"])  # chronyc tells no ports
        self.assertLess(said["offset_low_s"], AHEAD_S)
        self.assertGreater(said["offset_high_s"], AHEAD_S)
        self.assertLess(width(said), 1)
        if not report["machine"]["container"]:
            self.assertIn("chronyc makestep", [r["command"] for r in report["remedies"]])

    def test_a_chronyd_whose_server_does_not_answer(self):
        port = self.chronyd("client", "port 0", f"server 127.0.0.1 port {free_port()} iburst")
        _, said = self.until(port, lambda s: "synchronized" in s)
        self.assertIs(said.get("synchronized"), False, said)
        self.assertNotIn("offset_low_s", said)
        self.assertEqual(said["source"], "")

    def test_a_chronyd_that_follows_its_own_clock(self):
        port = self.chronyd("alone", "port 0", "local stratum 3")
        _, said = self.until(port, lambda s: "synchronized" in s)
        self.assertIs(said.get("synchronized"), False, said)
        self.assertNotIn("offset_low_s", said)

    def test_no_chronyd(self):
        _, said = self.report(free_port())
        self.assertNotIn("synchronized", said)
        self.assertIn("506", said["no_answer"])


if __name__ == "__main__":
    unittest.main()
