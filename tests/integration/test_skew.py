"""`skewguard skew`: the reported clocks of servers compared with the true ones."""

import itertools
import json
import os
import random
import re
import signal
import socket
import socketserver
import struct
import subprocess
import threading
import time
import unittest
from email.utils import formatdate

from harness import HUNG_S, SKEWGUARD, EndToEnd, Swallows, read_head, refusing_place
from test_proxy import NONE, ConnectProxy

NO_NTP = ("--ntp", "127.0.0.1:1")  # refuses at once
PROMPT_S = 0.005


class DateServer:
    """Answers with the Date that `clock(true_time)` says. `on`: its addresses, with one port for
    all. `hangs_up_on`: a method. `stays`: connections stay open. `dateless`: methods whose answers
    have no Date. `page`: bytes of an answer to GET. `each`: requests on one connection, which is
    reset then. `most`: connections; others are closed at once. `written`: how it writes a Date,
    from the usual form."""

    def __init__(self, test, clock, on=("127.0.0.1",), hangs_up_on=None, stays=True, dateless=(),
                 page=0, each=None, most=None, written=str):
        seen = self.seen = []  # (address, connection, head)
        times = self.times = []  # when
        connections = self.connections = itertools.count()

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self):
                connection = next(connections)
                if most is not None and connection >= most:
                    return
                answers = 0
                try:
                    while (head := read_head(self.rfile)) is not None:
                        seen.append((self.server.server_address[0], connection,
                                     head.decode("latin-1")))
                        times.append(time.monotonic())
                        method = head.split(b" ")[0].decode()
                        if method == hangs_up_on:
                            return
                        self.wfile.write(self.answer(method))
                        answers += 1
                        if not stays:
                            return
                        if answers == each:
                            reset = struct.pack("ii", 1, 0)
                            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                            return
                except ConnectionError:
                    pass

            @staticmethod
            def answer(method):
                date = written(formatdate(int(clock(time.time()) // 1), usegmt=True))
                head = "" if method in dateless else f"Date: {date}\r\n"
                head += "" if stays else "Connection: close\r\n"
                if page and method == "GET":
                    return f"HTTP/1.1 200 OK\r\n{head}Content-Length: {page}\r\n\r\n".encode() \
                        + bytes(page)
                return f"HTTP/1.1 204 No Content\r\n{head}\r\n".encode()

        self.servers, self.threads = [], []
        self.port = 0
        for address in on:
            kind = type("Server", (socketserver.ThreadingTCPServer,), {
                "daemon_threads": True,
                "address_family": socket.AF_INET6 if ":" in address else socket.AF_INET})
            server = kind((address, self.port), Handler)
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            self.servers.append(server)
            self.threads.append(thread)
        self.url = f"http://127.0.0.1:{self.port}/"
        test.addCleanup(self.stop)

    def methods(self):
        return [head.split(" ")[0] for _, _, head in self.seen]

    def stop(self):
        for server, thread in zip(self.servers, self.threads):
            server.shutdown()
            server.server_close()
            thread.join(HUNG_S)


def ahead(seconds):
    return lambda now: now + seconds


def failed_connects():
    """Of this machine, since it started."""
    with open("/proc/net/snmp", encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith("Tcp:")]
    return int(values[names.index("AttemptFails")])


class Skew(EndToEnd):
    def skew(self, *arguments, login="", api="", code=0, ntp=NO_NTP, **more):
        """What it says in JSON."""
        run = self.run_with(login, api, "skew", "--json", *ntp, *arguments, report=False,
                            **{**NONE, **more})
        self.assertEqual(run.code, code, run.err + run.out)
        told = json.loads(run.out)
        self.assertEqual(told["schema"], "skewguard.skew/1")
        return told

    def measured(self, *arguments, **more):
        return self.skew(*arguments, **more)["servers"]

    def assert_holds(self, reading, offset):
        self.assertLessEqual(reading["offset_low_s"], offset, reading)
        self.assertGreaterEqual(reading["offset_high_s"], offset, reading)

    def assert_measured(self, reading, offset):
        """Of one clock: within bounds that are narrow, even on a busy machine."""
        self.assert_holds(reading, offset)
        self.assertEqual(reading["picture"], "one_clock", reading)
        self.assertNotIn("groups", reading)
        self.assertLess(reading["offset_high_s"] - reading["offset_low_s"], 0.5)
        self.assertLess(abs(reading["offset_s"] - offset), 0.25, reading)
        self.assertGreaterEqual(reading["staleness_s"], PROMPT_S)

    def test_both_hosts_of_the_settings(self):
        for flags in ((), ("--tls",)):
            emulator = self.emulator("--login-offset", "1700ms", "--api-offset", "-350ms", *flags,
                                  ours_alone=False)
            login, api = self.measured(login=emulator.login, api=emulator.api,
                                       SSL_CERT_FILE=emulator.said.get("ca"))
            self.assertEqual((login["url"], api["url"]), (emulator.login + "/", emulator.api + "/"))
            self.assert_measured(login, 1.7)
            self.assert_measured(api, -0.35)
            self.assertEqual(emulator.token_requests(), 0)

    def test_all_that_is_promised_is_there_and_not_more_is_asked(self):
        server = DateServer(self, ahead(0.25))
        told = self.skew("--probes", "40", server.url)
        reading, = told["servers"]
        self.assert_measured(reading, 0.25)
        for field in ("rtt_min_ms", "excluded_share", "excluded_beyond_s"):
            self.assertGreater(reading[field], 0)
        self.assertLess(reading["excluded_share"], 0.9)
        self.assertEqual(reading["samples"], len(server.seen))
        self.assertLessEqual(len(server.seen), 40)
        ntp, = told["ntp"]
        self.assertEqual(ntp["host"], "127.0.0.1:1")
        for field in ("offset_low_s", "offset_high_s", "stratum"):
            self.assertIsNone(ntp[field])
        self.assertLessEqual({"synchronized", "max_error_s", "service"}, set(told["host"]))

    def test_nothing_secret_is_sent(self):
        server = DateServer(self, ahead(0))
        token = os.path.join(self.scratch.name, "token")
        with open(token, "w", encoding="utf-8") as file:
            file.write("given-token")
        self.skew("--access-token-file", token, "--probes", "8", server.url)
        self.assertTrue(server.seen)
        for _, _, head in server.seen:
            self.assertNotRegex(head, re.compile("authorization|cookie|token|" + "demo", re.I))

    # Several clocks --------------------------------------------------------------------------

    def backends(self, *offsets, probes):
        flags = [word for offset in offsets for word in ("--api-backend", offset)]
        emulator = self.emulator(*flags, ours_alone=False)
        return self.measured("--probes", str(probes), emulator.api)[0]

    def test_three_clocks_behind_one_name(self):
        truths = (-3.0, 0.0, 0.4)
        reading = self.backends("0s", "400ms", "-3s", probes=120)
        self.assertEqual(reading["picture"], "several_clocks", reading)
        self.assertEqual(len(reading["groups"]), 3, reading)
        for truth, group in zip(truths, sorted(reading["groups"],
                                               key=lambda g: g["offset_low_s"])):
            self.assert_holds(group, truth)
            self.assertLess(group["offset_high_s"] - group["offset_low_s"], 1)
            self.assertLess(abs(group["offset_s"] - truth), 0.2)
            self.assertLess(abs(group["share"] - 1 / 3), 0.17, reading)
        for truth in truths:
            self.assert_holds(reading, truth)

    def test_two_clocks_that_are_near_each_other(self):
        reading = self.backends("0s", "300ms", probes=40)
        self.assertNotEqual(reading["picture"], "one_clock")
        self.assert_holds(reading, 0)
        self.assert_holds(reading, 0.3)

    def test_c26_bounds_hold_a_clock_whatever_connections_or_requests_meet(self):
        """Ends from two clocks gave bounds of some milliseconds that held neither."""
        near, far = 0.297, -0.203
        urls = []
        for choice in 6 * ("connection", "request"):
            emulator = self.emulator("--api-backend", f"{near}s", "--api-backend", f"{far}s",
                                  "--backend-choice", choice, ours_alone=False)
            urls.append(emulator.api)
        for probes in ("8", "16", "40"):
            for reading in self.measured("--probes", probes, *urls):
                held = [reading["offset_low_s"] <= truth <= reading["offset_high_s"]
                        for truth in (near, far)]
                self.assertTrue(any(held), reading)

    # Dates that are no clock, or a late one --------------------------------------------------

    def test_dates_that_cannot_be_taken_at_their_word(self):
        drawn = random.Random(1)
        began = time.time()
        frozen = DateServer(self, lambda now: began)
        coarse = DateServer(self, lambda now: (now + 0.7) // 2 * 2)
        late = DateServer(self, lambda now: now + 0.7 - drawn.uniform(0, 0.3))
        told = self.measured("--probes", "40", frozen.url, coarse.url, late.url)
        self.assertEqual(told[0]["picture"], "not_a_clock", told[0])
        for reading in told[1:]:
            self.assertNotEqual(reading["picture"], "one_clock", reading)
            self.assert_holds(reading, 0.7)
            self.assertGreaterEqual(reading["staleness_s"], 1)

    def test_c27_a_date_that_is_renewed_late_is_off_for_certain(self):
        """Every 2 or 3 s: not by chance 0 or 4. It is no second clock, and did not step."""
        servers = [(off, DateServer(self, lambda now, by=by, off=off: (now + off) // by * by))
                   for by in (2, 2.2, 3, 2.5) for off in (600, -20)]
        urls = [server.url for _, server in servers]
        for (off, _), reading in zip(servers, self.measured(*urls, code=4)):
            self.assert_holds(reading, off)
            self.assertGreaterEqual(reading["staleness_s"], 1)
            self.assertNotIn("groups", reading)
            self.assertEqual(reading["steps"], 0, reading)
        run = self.run_with("", "", "skew", *NO_NTP, *urls, report=False, **NONE)
        self.assertEqual(run.code, 4, run.err)
        for (off, server) in servers:
            told = re.search(server.url + r".*; (ahead|behind) by at least ([\d.]+) s, harmful$",
                             run.out, re.M)
            self.assertTrue(told, run.out)
            self.assertEqual(told[1], "ahead" if off > 0 else "behind", run.out)
            self.assertLessEqual(float(told[2]), abs(off) + 0.1, run.out)

    def test_c25_dates_of_other_forms(self):
        """With one meaning: taken. With several: quoted."""
        zone = DateServer(self, ahead(7200.3), written=lambda date: date.replace("GMT", "GMT+2"))
        written = (lambda date: date.replace("GMT", "UTC"), lambda date: date[5:],
                   lambda date: ("Sun" if date[:3] != "Sun" else "Mon") + date[3:])
        servers = [zone] + [DateServer(self, ahead(0.3), written=form) for form in written]
        for reading in self.measured("--probes", "8", *(server.url for server in servers)):
            self.assert_holds(reading, 0.3)
            self.assertEqual(reading["picture"], "one_clock", reading)
        several = DateServer(self, ahead(0), written=lambda date: date.replace("GMT", "CET"))
        run = self.run_with("", "", "skew", *NO_NTP, several.url, report=False, **NONE)
        self.assertEqual(run.code, 6, run.err)
        self.assertRegex(run.out, r'its Date is ambiguous or malformed: "[^"]* CET"')

    # Servers and the way to them -------------------------------------------------------------

    def test_servers_with_habits(self):
        no_head = DateServer(self, ahead(0.5), hangs_up_on="HEAD")
        closes = DateServer(self, ahead(-0.5), stays=False)
        other_head = DateServer(self, ahead(0.2), dateless=("HEAD",))
        pages = DateServer(self, ahead(0.7), hangs_up_on="HEAD", page=100_000)
        told = self.measured(no_head.url, closes.url, other_head.url, pages.url)
        self.assert_measured(told[0], 0.5)
        self.assertEqual(no_head.methods().count("GET"), told[0]["samples"])
        self.assertEqual(len({connection for _, connection, _ in closes.seen}), len(closes.seen))
        self.assert_measured(told[2], 0.2)
        self.assertEqual(other_head.methods().count("HEAD"), 1)
        # Each answer on its own connection may be from another clock: no narrow bounds.
        for reading, offset in ((told[1], -0.5), (told[3], 0.7)):
            self.assert_holds(reading, offset)
            self.assertEqual(reading["picture"], "one_clock", reading)
            self.assertGreater(reading["offset_high_s"] - reading["offset_low_s"], 1)
            self.assertLess(abs(reading["offset_s"] - offset), 0.1, reading)

    def test_a_server_without_dates_is_asked_a_few_times_and_not_in_a_burst(self):
        server = DateServer(self, ahead(0), dateless=("HEAD", "GET"))
        start = time.monotonic()
        reading, = self.measured("--probes", "200", server.url, code=6)
        self.assertEqual(reading["samples"], 0)
        self.assertEqual(server.methods(), ["HEAD"] + 4 * ["GET"])
        # A busy machine may receive a request late and the next one on time, but none early.
        for pauses, received in enumerate(server.times):
            self.assertGreater(received - start, 0.09 * pauses)

    def test_new_connections_that_fail_are_not_tried_again_and_again(self):
        """Old ones live on. So it is with a limit of connections, and where nobody listens now."""
        limited = DateServer(self, ahead(0.5), most=4)
        deaf = DateServer(self, ahead(-0.5))
        resets = DateServer(self, ahead(0.3), each=12)
        stop = threading.Timer(1.5, deaf.servers[0].server_close)
        stop.start()
        self.addCleanup(stop.join)
        before = failed_connects()
        told = self.measured("--probes", "37", limited.url, deaf.url, resets.url)
        self.assertLess(failed_connects() - before, 1000)
        self.assertLess(next(limited.connections), 4 + 20)
        for reading, offset in zip(told, (0.5, -0.5, 0.3)):
            self.assert_measured(reading, offset)
            self.assertGreaterEqual(reading["samples"], 12)
        self.assertGreater(told[2]["samples"], 24)
        self.assertGreater(told[0]["excluded_share"] or 1, 0.6)
        for _ in range(4):  # on a busy machine too few probes may hit
            if (told[2]["excluded_share"] or 1) < 0.9:
                return
            told[2], = self.measured("--probes", "37", resets.url)
        self.fail(f"a second clock is never excluded: {told[2]}")

    def test_dropped_packets_end_the_measurement_or_another_address_serves(self):
        server = DateServer(self, ahead(0.3))
        self.addCleanup(Swallows("::1", server.port).close)
        swallows = Swallows()
        self.addCleanup(swallows.close)
        self.measured(f"http://127.0.0.1:{swallows.port}/", code=6)
        reading, = self.measured(f"http://localhost:{server.port}/")
        self.assert_measured(reading, 0.3)

    def test_a_name_with_two_addresses_is_asked_at_both(self):
        server = DateServer(self, ahead(0.3), on=("127.0.0.1", "::1"))
        reading, = self.measured(f"http://localhost:{server.port}/")
        self.assert_measured(reading, 0.3)
        self.assertEqual(set(reading["addresses"]), {"127.0.0.1", "::1"})
        self.assertEqual({address for address, _, _ in server.seen}, {"127.0.0.1", "::1"})

    def test_through_a_proxy(self):
        emulator = self.emulator("--tls", "--api-offset", "-2s", ours_alone=False)
        proxy = ConnectProxy(self)
        reading, = self.measured(emulator.api, "--proxy", proxy.url(),
                                 SSL_CERT_FILE=emulator.said["ca"])
        self.assert_measured(reading, -2)
        self.assertEqual(set(proxy.targets()), {emulator.api.removeprefix("https://")})
        self.assertNotIn(b"HTTP/1.1", proxy.bytes_seen)  # all of it is TLS

    def test_a_proxy_whose_name_does_not_resolve_is_named(self):
        reading, = self.measured("https://api.example/", "--proxy", "http://proxy.invalid:3128",
                                 code=6, prefix=("unshare", "-rn"))
        self.assertIn("of the proxy proxy.invalid:3128 does not resolve", reading["failure"])

    # Exit codes ------------------------------------------------------------------------------

    def test_exit_codes(self):
        server = DateServer(self, ahead(6.5))
        self.measured("--probes", "2", server.url, code=4)
        self.measured("--probes", "2", "--max-skew", "10s", server.url, code=0)
        nobody = f"http://{refusing_place(self)}/"
        reading, = self.measured(nobody, code=6)
        self.assertIn("refused", reading["failure"])
        self.assertIsNone(reading["offset_s"])
        silent, right = self.measured("--probes", "2", nobody, server.url, code=4)
        self.assertEqual((silent["samples"], right["samples"]), (0, 2))

    def test_wrong_usage_is_told_before_anything_is_sent(self):
        server = DateServer(self, ahead(0))
        for words in (("--probes", "0"), ("--probes", "many"), ("--max-skew", "much"),
                      ("http://192.0.2.1/",), ("ftp://127.0.0.1/",), ("--ntp", "a b"),
                      ("--ntp", "::1"), ("--ntp", "127.0.0.1:0")):
            run = self.run_with("", "", "skew", server.url, *words, report=False)
            self.assert_one_error_line(run, 2)
        self.assert_one_error_line(self.run_with("", "", "skew", report=False), 2)
        self.assertEqual(server.seen, [])

    # Going on --------------------------------------------------------------------------------

    def watching(self, url, *flags, ntp=NO_NTP):
        process = subprocess.Popen(
            [SKEWGUARD, "skew", "--watch", *ntp, *flags, url],
            env=self.environment("", "", **NONE), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, HUNG_S)
        self.addCleanup(process.kill)
        return process

    def test_watch_tells_a_line_a_round_until_its_reader_goes(self):
        server = DateServer(self, ahead(0.5))
        process = self.watching(server.url, "--probes", "4")
        self.assertRegex(process.stdout.readline(), "^time +server +offset +bounds +verdict")
        for count in (1, 2):
            line = process.stdout.readline()
            self.assertIn(server.url, line)
            self.assertRegex(line, r"\+(0\.\d+ s|[1-9]\d\d\.\d+ ms)")
            self.assertEqual(len(re.findall("[\u2581-\u2588]", line)), count, line)
        process.stdout.close()
        self.assertNotEqual(process.wait(HUNG_S), 0)

    def test_watch_asks_a_server_that_refuses_no_more_than_every_other_second(self):
        nobody = f"http://{refusing_place(self)}/"
        never_asked = ("--ntp", "255.255.255.255:1")  # and so never waited for
        process = self.watching(nobody, ntp=never_asked)
        process.stdout.readline()  # the header
        times = []
        for _ in range(3):
            self.assertIn("refused", process.stdout.readline())
            times.append(time.monotonic())
        self.assertGreater(times[2] - times[0], 3.5)
        process.stdout.close()

    def test_watch_in_json_is_an_object_a_line_which_goes_on_from_the_last(self):
        process = self.watching(DateServer(self, ahead(0.5)).url, "--probes", "8", "--json")
        rounds = []
        for _ in range(30):  # on a busy machine it takes more of them
            rounds.append(json.loads(process.stdout.readline())["servers"][0])
            self.assert_holds(rounds[-1], 0.5)
            width = rounds[-1]["offset_high_s"] - rounds[-1]["offset_low_s"]
            if len(rounds) >= 3 and width < 0.6:  # an answer by itself leaves a second open
                break
        self.assertLess(width, 0.6)
        self.assertGreater(rounds[-1]["samples"], rounds[0]["samples"])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HUNG_S), 0)  # what it found: half a second does no harm
        process.stdout.close()


if __name__ == "__main__":
    unittest.main()
