"""Row C12 in calls: a certificate fails on its time alone. Whose fault that is, whom the program
asks for it, and that nobody gets to see a secret by it."""

import json
import socket
import subprocess
import time
import unittest
from pathlib import Path

import ntp
import plain_date
from harness import FORBIDDEN, HUNG_S, SKEWGUARD, EndToEnd, LongRunning

COMMANDS = {"call": ("call", "GET", "/api/v2/tokens/me"), "token": ("token",),
            "whoami": ("whoami",)}
IN_1970, YEARS_AHEAD, SIXTY_DAYS_BACK = "@600", "100000000", str(-60 * 86400)
FAR_S = 20  # from the 3 s that it takes, and from the 30 s of a whole call
NOBODY = "127.0.0.1:1"  # no NTP server


class CertificateTime(EndToEnd):
    def tls(self, **more):
        return self.emulator("--tls", **more)

    def asked(self, emulator, command, *servers, wall=None, **more):
        """How one command ends, and how long it took; no request has reached the emulator."""
        flags = [word for server in servers for word in ("--ntp", server)]
        if wall is not None:
            more.update(LD_PRELOAD=self.preload, SKEWGUARD_TEST_WALL_OFFSET=wall)
        start = time.monotonic()
        run = self.run_program(emulator, *COMMANDS[command], "--ca-file", emulator.said["ca"],
                               *flags, report=command != "token", **more)
        run.took = time.monotonic() - start
        stats = emulator.stats()
        self.assertEqual(stats["token_requests"]["total"], 0)
        self.assertEqual([r for r in stats["recent"] if r["host"] == "api"], [])
        return run

    def expect(self, run, verdict, code, *parts):
        line = self.assert_one_error_line(run, code)
        for part in parts:
            self.assertIn(part, line)
        if run.report:
            self.assertEqual((run.verdict(), run.report["exit_code"]), (verdict, code))
            self.assertEqual(run.report["attempts"][-1]["verdict"], verdict)
            for part in parts[:1]:
                self.assertIn(part, run.report["attempts"][-1]["explanation"])
        return line

    def test_c12_every_command_blames_the_local_clock_where_ntp_bears_it_out(self):
        emulator = self.tls()
        servers = ntp.chronyds(self, self.addCleanup, 0, 0)
        for command in COMMANDS:
            for wall, size in ((IN_1970, "years behind"), (YEARS_AHEAD, "it is 3.2 years ahead")):
                with self.subTest(command=command, wall=wall):
                    run = self.asked(emulator, command, *servers, wall=wall)
                    line = self.expect(run, "tls_clock", 4, size, "NTP (127.0.0.1:", "says so")
                    self.assertIn(f"the certificate of {emulator.login} ", line)
                    self.assertNotIn("at least", line)
                    self.assertRegex(run.err, "(?i)correct the clock of this machine")

    def test_c12_every_command_needs_nobody_in_1970(self):
        emulator = self.tls()
        for command in COMMANDS:
            for servers in (("none",), (NOBODY,)):
                with self.subTest(command=command, servers=servers):
                    run = self.asked(emulator, command, *servers, wall=IN_1970)
                    self.expect(run, "tls_clock", 4, "at least 56.",
                                "before this program was built")

    def test_c12_no_command_blames_a_clock_without_another_one(self):
        emulator = self.tls()
        for command in COMMANDS:
            with self.subTest(command=command):
                run = self.asked(emulator, command, NOBODY, wall=YEARS_AHEAD)
                self.expect(run, "tls_untrusted", 6, "no other clock confirms")
                self.assertIn("--ntp", run.err)

    def test_c12_no_command_forgives_a_certificate_that_has_expired(self):
        emulator = self.tls(env={"LD_PRELOAD": self.preload,
                                 "SKEWGUARD_TEST_WALL_OFFSET": SIXTY_DAYS_BACK})
        servers = ntp.chronyds(self, self.addCleanup, 0)
        for command in COMMANDS:
            with self.subTest(command=command):
                run = self.asked(emulator, command, *servers)
                self.expect(run, "tls_untrusted", 6, "the local clock is not to blame")
                self.assertIn("to renew it", run.err)

    def test_c12_most_ntp_servers_decide(self):
        emulator = self.tls()
        servers = ntp.chronyds(self, self.addCleanup, 0, 0, YEARS_AHEAD)  # the last one is wrong
        run = self.asked(emulator, "call", *servers, wall=YEARS_AHEAD)
        line = self.expect(run, "tls_clock", 4, "3.2 years ahead")
        self.assertNotIn(servers[2], line)
        run = self.asked(emulator, "call", *servers[1:], wall=YEARS_AHEAD)
        self.expect(run, "tls_untrusted", 6, "no other clock confirms")

    def test_c12_a_client_on_a_loop_of_the_users_asks_as_well(self):
        emulator = self.tls()
        server, = ntp.chronyds(self, self.addCleanup, 0)
        env = self.environment(emulator.login, emulator.api, SSL_CERT_FILE=emulator.said["ca"],
                               SKEWGUARD_NTP=server, LD_PRELOAD=self.preload,
                               SKEWGUARD_TEST_WALL_OFFSET=YEARS_AHEAD)
        done = subprocess.run([Path(SKEWGUARD).parent / "examples/asio_coroutine"], env=env,
                              capture_output=True, text=True, timeout=HUNG_S, check=False)
        self.assertIn(f"it is 3.2 years ahead; NTP ({server}) says so", done.stderr)
        self.assert_no_secrets(done.stdout, done.stderr)

    def test_c12_ntp_servers_that_say_nothing_cost_three_seconds(self):
        emulator = self.tls()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            server = f"127.0.0.1:{mute.getsockname()[1]}"
            run = self.asked(emulator, "call", server, wall=YEARS_AHEAD)
            self.expect(run, "tls_untrusted", 6, "no other clock confirms")
            self.assertLess(run.took, FAR_S)
            run = self.asked(emulator, "call", server, wall=YEARS_AHEAD, SKEWGUARD_TIMEOUT="1s")
            self.expect(run, "tls_untrusted", 6, "no other clock confirms")
            self.assertLess(run.took, FAR_S)

    def test_c12_a_program_that_tries_on_and_on_asks_once_and_tells_nothing(self):
        emulator = self.tls()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            program = LongRunning(self, emulator, SSL_CERT_FILE=emulator.said["ca"],
                                  SKEWGUARD_NTP=f"127.0.0.1:{mute.getsockname()[1]}",
                                  LD_PRELOAD=self.preload, SKEWGUARD_TEST_WALL_OFFSET=IN_1970)
            for report in program.calls(20) + [program.call() for _ in range(5)]:
                self.assertEqual((report["verdict"], report["exit_code"]), ("tls_clock", 4))
            mute.setblocking(False)
            packets = []
            try:
                while True:
                    packets.append(mute.recv(2048))
            except BlockingIOError:
                pass
        # One query, repeated after 1 s and after 2 s more because nobody answers.
        self.assertIn([len(packet) for packet in packets], [[48], [48, 48], [48, 48, 48]])
        self.assertEqual(packets[0][1:40], bytes(39))  # nothing of us but a random number

    def test_c12_the_alert_command_hears_of_it(self):
        emulator = self.tls()
        alert = Path(self.scratch.name) / f"alert-{emulator.login.rpartition(':')[2]}"
        self.asked(emulator, "call", "none", wall=IN_1970,
                   SKEWGUARD_ALERT_COMMAND=f"cat > {alert}.new && mv {alert}.new {alert}")
        for _ in range(100):
            if alert.exists():
                break
            time.sleep(0.05)
        self.assertEqual(json.loads(alert.read_text())["verdict"], "tls_clock")

    def test_c12_a_plain_date_bears_it_out_and_its_host_sees_no_secret(self):
        done, heads = plain_date.run(COMMANDS["token"], self.environment(None, None), self.preload,
                                     YEARS_AHEAD)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("it is 3.2 years ahead; the Date of http://127.0.0.1 says so", done.stderr)
        self.assertEqual([head.splitlines()[0] for head in heads], ["HEAD / HTTP/1.1"])
        for head in heads:
            self.assertNotIn("authorization", head.lower())
            for pattern in FORBIDDEN:
                self.assertIsNone(pattern.search(head), head)


if __name__ == "__main__":
    unittest.main()
