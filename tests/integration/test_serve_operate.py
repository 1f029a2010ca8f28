"""Operating the sidecar: its start, its metrics and status, its logs, TLS and proxies, PID 1, other
users."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import harness
import test_proxy
from harness import HUNG_S, SKEWGUARD
from test_serve import ServeTest, Sidecar

ME = "/api/v2/tokens/me"


def until(test, what, condition):
    """Waits until `condition()` is true, and returns that."""
    deadline = time.monotonic() + HUNG_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            test.fail(f"never: {what}")
        time.sleep(0.02)
    return found


def reload(test, sidecar):
    """Has it read its secrets again, and waits for that."""
    sidecar.process.send_signal(signal.SIGHUP)
    place = f"/proc/self/fd/{sidecar.errors.fileno()}"
    until(test, "the reload", lambda: "read again" in Path(place).read_text(encoding="utf-8"))


def families(text):
    """{name: {labels: value}} as the parser of Prometheus' own client library reads the page; the
    labels are a sorted tuple of pairs."""
    program = (
        "import json, sys\n"
        "from prometheus_client.parser import text_string_to_metric_families as parse\n"
        "print(json.dumps([[f.name, f.type, f.documentation,\n"
        "                   [[s.name, sorted(s.labels.items()), s.value] for s in f.samples]]\n"
        "                  for f in parse(sys.stdin.read())]))\n")
    done = subprocess.run(["/usr/bin/python3", "-c", program], input=text, capture_output=True,
                          text=True, check=True, timeout=HUNG_S)
    types, samples = {}, {}
    for name, kind, documentation, found in json.loads(done.stdout):
        assert documentation, f"{name} has no HELP"
        types[name] = kind
        for sample, labels, value in found:
            samples.setdefault(sample, {})[tuple(map(tuple, labels))] = value
    return types, samples


class Starting(ServeTest):
    def test_it_listens_before_it_has_asked_anybody(self):
        """A login host that never answers delays nothing."""
        silent = harness.Swallows()
        self.addCleanup(silent.close)
        emulator = self.cloud()
        sidecar = Sidecar(self, f"http://127.0.0.1:{silent.port}", emulator.api)
        self.assertEqual(sidecar.get("/healthz").status, 200)
        self.assertEqual(sidecar.get("/readyz").status, 503)
        self.assertEqual(sidecar.login().status, 200)

    def test_its_start_is_cheap(self):
        """Counted by the kernel: time on a CPU, not time that passes."""
        sidecar = self.sidecar(self.cloud())
        on_cpu = int(Path(f"/proc/{sidecar.process.pid}/schedstat").read_text().split()[0])
        self.assertLess(on_cpu, 50_000_000)  # nanoseconds

    def test_it_recovers_from_a_login_host_that_was_not_there_at_the_start(self):
        emulator = self.cloud()
        place = socket.socket()
        self.addCleanup(place.close)
        place.bind(("127.0.0.1", 0))  # and does not listen yet
        login = f"http://127.0.0.1:{place.getsockname()[1]}"
        sidecar = Sidecar(self, login, emulator.api, "--max-hold", "100ms")
        refused = sidecar.get(ME)
        self.assertEqual(refused.status, 503)
        self.assertRegex(refused.headers["Retry-After"], r"^\d+$")
        ready = until(self, "why it is not ready", lambda: self.if_named(sidecar, login))
        self.assertEqual(ready.status, 503)
        status = sidecar.get("/status.json").json()
        self.assertEqual((status["ready"], status["token"], status["login"]["works"]),
                         (False, None, False))
        self.assertIn(login.removeprefix("http://"), status["reason"])
        self.assertEqual(status["last_rejection"]["verdict"], "network")
        self.assertEqual(status["last_rejection"]["host"], "login")
        self.carry(place, emulator.login)
        sidecar.wait_until_ready()
        self.assertEqual(sidecar.get(ME).status, 200)
        status = sidecar.get("/status.json").json()
        self.assertEqual((status["ready"], status["login"]["works"]), (True, True))
        _, metrics = families(sidecar.get("/metrics").body.decode())
        results = metrics["skewguard_token_requests_total"]
        self.assertEqual(results[(("result", "ok"),)], 1)
        self.assertGreaterEqual(results[(("result", "network"),)], 1)
        self.assertEqual(sidecar.end(), 0)
        self.assertIn("serving without a token", sidecar.said)
        self.assertIn("there is a token again", sidecar.said)

    def if_named(self, sidecar, login):
        """The answer of /readyz if it names the login host."""
        answer = sidecar.get("/readyz")
        return answer if login.removeprefix("http://") in answer.body.decode() else None

    def carry(self, place, login):
        """From now on, `place` answers as that login host."""
        host = login.removeprefix("http://")
        place.listen()

        def forward():
            while True:
                try:
                    near, _ = place.accept()
                except OSError:
                    return
                with near, near.makefile("rb") as request:
                    head = harness.read_head(request)
                    if head is None:
                        continue
                    length = re.search(rb"content-length: *(\d+)", head, re.I)
                    body = request.read(int(length.group(1)) if length else 0)
                    far = http.client.HTTPConnection(host, timeout=HUNG_S)
                    method, path = head.decode().split(" ")[:2]
                    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]
                                  if ": " in line)
                    far.request(method, path, body, fields)
                    got = far.getresponse()
                    near.sendall(harness.answer(got.status, got.read(),
                                                "Content-Type: application/json"))
                    far.close()

        threading.Thread(target=forward, daemon=True).start()

    def test_a_log_that_cannot_be_written_is_named_before_anything_listens(self):
        path = str(Path(self.scratch.name) / "missing" / "access.log")
        run = self.run_program(self.cloud(), "serve", "--listen", "127.0.0.1:0", "--access-log",
                               path, report=False)
        self.assertEqual(run.out, "")
        self.assertIn(path, self.assert_one_error_line(run, 2))

    def test_too_few_files_are_an_error_before_anything_listens(self):
        emulator = self.cloud()
        for files in (8, 58):
            run = subprocess.run(
                ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", SKEWGUARD, "serve", "--listen",
                 "127.0.0.1:0", "--workers", "2"],
                env=self.environment(emulator.login, emulator.api), stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=HUNG_S)
            self.assertEqual((run.returncode, run.stdout), (6, ""), run.stderr)
            self.assertIn("raise `ulimit -n` to at least 59", run.stderr)
        sidecar = self.sidecar(emulator, "--workers", "2",
                               prefix=("sh", "-c", 'ulimit -n 59; exec "$@"', "sh"))
        self.assertEqual(sidecar.get(ME).status, 200)

    def test_two_of_them_at_one_socket_are_an_error_and_the_first_serves_on(self):
        path = str(Path(self.scratch.name) / "taken.sock")
        emulator = self.cloud()
        self.sidecar(emulator, listen=(f"unix:{path}",))
        run = self.run_program(emulator, "serve", "--listen", f"unix:{path}", report=False)
        self.assertIn(f"cannot listen on unix:{path}", self.assert_one_error_line(run, 2))
        self.assertTrue(os.path.exists(path))
        done = subprocess.run(["curl", "-sS", "--unix-socket", path, "http://localhost/healthz"],
                              capture_output=True, text=True, check=True, timeout=HUNG_S)
        self.assertEqual(done.stdout, "ok\n")


class Metrics(ServeTest):
    COUNTERS = {"skewguard_requests": "code", "skewguard_rejections": "verdict",
                "skewguard_mitigations": "action", "skewguard_token_requests": "result",
                "skewguard_clock_steps": "clock"}

    def test_the_page_is_what_prometheus_reads(self):
        emulator = self.cloud("--lifetime", "1h", "--api-offset", "3s")
        sidecar = self.sidecar(emulator)
        sidecar.get(ME)
        emulator.order("revoke", all=True)
        sidecar.get(ME)
        sidecar.get("/api/v2/nothing/here")
        types, samples = families(sidecar.get("/metrics").body.decode())
        for name, label in self.COUNTERS.items():
            self.assertEqual(types[name], "counter")
            for labels in samples[name + "_total"]:
                self.assertEqual([key for key, _ in labels], [label], name)
        for name in ("skewguard_token_expires_in_seconds", "skewguard_clock_offset_seconds",
                     "skewguard_waiting_requests", "skewguard_build_info"):
            self.assertEqual(types[name], "gauge", name)
        for name in ("skewguard_added_latency_seconds", "skewguard_upstream_duration_seconds"):
            self.assertEqual(types[name], "histogram", name)
            buckets = samples[name + "_bucket"]
            self.assertEqual(list(buckets.values()), sorted(buckets.values()))
            self.assertEqual(buckets[(("le", "+Inf"),)], samples[name + "_count"][()])
            self.assertEqual(samples[name + "_count"][()], 3)
        self.assertEqual(samples["skewguard_requests_total"],
                         {(("code", "200"),): 2, (("code", "404"),): 1})
        self.assertEqual(samples["skewguard_rejections_total"],
                         {(("verdict", "token_revoked"),): 1})
        self.assertEqual(samples["skewguard_token_requests_total"], {(("result", "ok"),): 2})
        offsets = samples["skewguard_clock_offset_seconds"]
        for server, offset in ((emulator.login, 0), (emulator.api, 3)):
            low, high = (offsets[(("bound", bound), ("server", server))]
                         for bound in ("low", "high"))
            self.assertTrue(offset - 2 < low <= offset <= high < offset + 2, (server, low, high))
        self.assertEqual(samples["skewguard_clock_steps_total"],
                         {(("clock", clock),): 0
                          for clock in ("wall", "boot", emulator.login, emulator.api)})
        self.assertEqual(set(types), set(self.COUNTERS) | {
            "skewguard_token_expires_in_seconds", "skewguard_clock_offset_seconds",
            "skewguard_waiting_requests", "skewguard_build_info",
            "skewguard_added_latency_seconds", "skewguard_upstream_duration_seconds"})

    def test_counters_do_not_fall_when_the_settings_are_read_again(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        sidecar.get(ME)
        emulator.order("revoke", all=True)
        sidecar.get(ME)
        _, before = families(sidecar.get("/metrics").body.decode())
        reload(self, sidecar)
        sidecar.get(ME)
        _, after = families(sidecar.get("/metrics").body.decode())
        for name, values in before.items():
            if name.endswith(("_total", "_count", "_sum", "_bucket")):
                for labels, value in values.items():
                    self.assertGreaterEqual(after[name][labels], value, name)

    def test_the_status_shows_what_is_known_and_no_token(self):
        emulator = self.cloud("--lifetime", "1h", "--api-offset", "3s")
        sidecar = self.sidecar(emulator, "--workers", "2")
        sidecar.get(ME)
        emulator.order("revoke", all=True)
        sidecar.get(ME)
        status = until(self, "the end of older connections", lambda: self.status_alone(sidecar))
        self.assertEqual(status["schema"], "skewguard.status/1")
        self.assertEqual(status["listening_on"], [sidecar.url])
        self.assertGreater(status["uptime_s"], 0)
        self.assertEqual((status["api_url"], status["login_url"]), (emulator.api, emulator.login))
        self.assertEqual(status["token"]["generation"], 2)
        self.assertTrue(status["token"]["accepted"])
        self.assertTrue(3000 < status["token"]["expires_in_s"] <= 3600, status["token"])
        self.assertEqual(status["login"], {"works": True, "token_requests": {"ok": 2}})
        self.assertEqual([clock["server"] for clock in status["clocks"]],
                         [emulator.login, emulator.api])
        api = status["clocks"][1]
        self.assertTrue(api["offset_low_s"] <= 3 <= api["offset_high_s"], api)
        self.assertEqual(status["clock_steps"]["wall"], 0)
        self.assertEqual(status["waiting_requests"], 0)
        self.assertEqual(len(status["workers"]), 2)
        self.assertGreaterEqual(sum(worker["requests"] for worker in status["workers"]), 2)
        last = status["last_rejection"]
        self.assertEqual((last["host"], last["http_status"], last["verdict"]),
                         ("api", 401, "token_revoked"))
        self.assertLessEqual(last["time"], status["time"])
        self.assertEqual(last["action"], "refresh_and_retry")

    def status_alone(self, sidecar):
        """The status when nobody else is connected."""
        status = sidecar.get("/status.json").json()
        return status if sum(w["connections"] for w in status["workers"]) == 1 else None


class Reaching(ServeTest):
    def setUp(self):
        self.tls = self.cloud("--tls")

    def test_the_hosts_by_tls_with_a_ca_of_their_own(self):
        sidecar = self.sidecar(self.tls, "--ca-file", self.tls.said["ca"])
        self.assertEqual(sidecar.get(ME).status, 200)
        self.assertEqual(sidecar.get(ME).headers["Skewguard-Verdict"], "ok")
        self.assertEqual(self.tls.token_requests(), 1)

    def test_nobody_whose_certificate_is_not_trusted(self):
        sidecar = self.sidecar(self.tls, "--max-hold", "100ms", SSL_CERT_FILE=None)
        answer = sidecar.get(ME)
        self.assertIn(answer.status, (502, 503))
        until(self, "the certificate in /readyz",
              lambda: "certificate" in sidecar.get("/readyz").body.decode())
        self.assertEqual(self.tls.api_sends(), [])

    def test_the_hosts_through_a_proxy(self):
        proxy = test_proxy.ConnectProxy(self, test_proxy.BASIC)
        sidecar = self.sidecar(self.tls, "--ca-file", self.tls.said["ca"], "--proxy",
                               proxy.url(test_proxy.IN_URL))
        self.assertEqual(sidecar.get(ME).status, 200)
        self.assertEqual({target for target in proxy.targets()},
                         {url.removeprefix("https://") for url in (self.tls.login, self.tls.api)})
        self.assertNotIn(b"HTTP/1.1 200", proxy.bytes_seen)
        sidecar.end()
        for secret in (test_proxy.PASSWORD, test_proxy.IN_URL, test_proxy.BASIC):
            self.assertNotIn(secret, sidecar.log + sidecar.said)


class WithAClientCertificate(test_proxy.Certificates, ServeTest):
    def test_it_is_shown_to_both_hosts(self):
        server = self.server(ssl.TLSVersion.TLSv1_3)
        shown = self.shown("client.pem", "client.key")
        sidecar = Sidecar(self, server.url, server.url, "--ca-file", self.path("ca.pem"), *shown)
        self.assertEqual(sidecar.get(ME).status, 200)
        self.assertEqual({path for _, path, _ in server.seen}, {"/oauth/token", ME})


class AsInit(ServeTest):
    """As PID 1, for which the kernel ignores each signal that has no handler."""

    def test_it_drains_on_sigterm_and_reloads_on_sighup(self):
        emulator = self.cloud("--latency", "1s")
        sidecar = self.sidecar(emulator, prefix=self.as_init())
        pid = until(self, "a child", lambda: self.child(sidecar.process.pid))
        self.assertEqual(Path(f"/proc/{pid}/status").read_text().split("NSpid:")[1].split()[1], "1")
        sidecar.wait_until_ready()
        os.kill(pid, signal.SIGHUP)
        self.assertEqual(sidecar.get("/healthz").status, 200)
        connection = http.client.HTTPConnection(sidecar.place, timeout=HUNG_S)
        self.addCleanup(connection.close)
        connection.request("GET", ME)
        until(self, "the request", emulator.api_sends)
        os.kill(pid, signal.SIGTERM)
        got = connection.getresponse()
        self.assertEqual((got.status, got.headers["Connection"]), (200, "close"))
        got.read()
        self.assertEqual(sidecar.process.wait(HUNG_S), 0)

    def test_an_interrupt_ends_it_too(self):
        sidecar = self.sidecar(self.cloud(), prefix=self.as_init())
        os.kill(until(self, "a child", lambda: self.child(sidecar.process.pid)), signal.SIGINT)
        self.assertEqual(sidecar.process.wait(HUNG_S), 0)

    def as_init(self):
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        return ["unshare", *user, "--pid", "--fork", "--kill-child", "--mount-proc"]

    def child(self, pid):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None


class InTheBackground(ServeTest):
    def test_an_interrupt_for_the_program_in_front_does_not_end_it(self):
        """The shell has a script's background jobs ignore interrupts."""
        sidecar = self.sidecar(self.cloud(), prefix=("sh", "-c", "trap '' INT; exec \"$@\"", "sh"))
        sidecar.process.send_signal(signal.SIGINT)
        reload(self, sidecar)  # signals are handled in their order
        self.assertEqual(sidecar.get(ME).status, 200)
        self.assertEqual(sidecar.end(), 0)


class OfOneUser(ServeTest):
    def test_the_socket_turns_other_users_away(self):
        """Even where the file's mode would let them in."""
        if os.geteuid() != 0:
            # Nobody but root can be two users: what is left is the mode, and the rule in
            # tests/unit/proxy.
            path = Path(self.scratch.name) / "mode.sock"
            self.sidecar(self.cloud(), listen=(f"unix:{path}",))
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            return
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o755)
        path = folder / "sidecar.sock"
        emulator = self.cloud()
        sidecar = self.sidecar(emulator, listen=(f"unix:{path}",))
        other = ("setpriv", "--reuid", "nobody", "--clear-groups")
        self.assertEqual(self.ask(path, *other), "PermissionError")
        path.chmod(0o666)
        self.assertEqual(self.ask(path, *other), "connected, nothing")
        self.assertEqual(emulator.api_sends(), [])
        self.assertEqual(self.ask(path), "connected, HTTP/1.1 200 OK")
        self.assertEqual(sidecar.end(), 0)
        self.assertEqual(len(sidecar.log.splitlines()), 1, sidecar.log)

    def ask(self, path, *prefix):
        """What a program gets there that `prefix` runs."""
        program = (
            "import socket, sys\n"
            "to = socket.socket(socket.AF_UNIX)\n"
            "try:\n"
            "    to.connect(sys.argv[1])\n"
            "except OSError as why:\n"
            "    sys.exit(print(type(why).__name__))\n"
            "got = b''\n"
            "try:\n"
            "    to.sendall(sys.argv[2].encode())\n"
            "    got = to.recv(65536)\n"
            "except (BrokenPipeError, ConnectionResetError):\n"
            "    pass\n"
            "print('connected,', got.decode().split('\\r\\n')[0] or 'nothing')\n")
        request = f"GET {ME} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        done = subprocess.run([*prefix, "/usr/bin/python3", "-c", program, str(path), request],
                              capture_output=True, text=True, check=True, timeout=HUNG_S)
        return done.stdout.strip()


class AccessLog(ServeTest):
    def test_a_line_says_all_that_happened_to_a_request(self):
        emulator = self.cloud("--login-offset", "2s", "--strict-nbf", "--token", "jwt")
        sidecar = self.sidecar(emulator, "--log-format", "json")
        self.assertEqual(sidecar.get(ME + "?expand=x%20y").status, 200)
        sidecar.get("/healthz?secret=y")
        sidecar.raw(b"BAD\r\n\r\n")
        sidecar.end()
        forwarded, own, broken = map(json.loads, sidecar.log.splitlines())
        self.assertEqual(list(forwarded), ["time", "method", "path", "status", "verdict",
                                           "attempts", "held_ms", "upstream_ms", "total_ms"])
        self.assertEqual((forwarded["method"], forwarded["path"], forwarded["status"]),
                         ("GET", ME, 200))
        self.assertEqual(forwarded["verdict"], "issuer_clock_ahead")
        self.assertGreaterEqual(forwarded["attempts"], 2)
        self.assertGreaterEqual(forwarded["total_ms"], 1000)  # it was waited for
        self.assertGreaterEqual(forwarded["total_ms"],
                                forwarded["held_ms"] + forwarded["upstream_ms"])
        self.assertRegex(forwarded["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(list(own), ["time", "method", "path", "status", "total_ms"])
        self.assertEqual((own["path"], own["status"]), ("/healthz", 200))
        self.assertEqual(broken["status"], 400)
        self.assertNotIn("secret", sidecar.log)

    def test_text_has_the_same(self):
        sidecar = self.sidecar(self.cloud())
        sidecar.get(ME)
        sidecar.raw(b"BAD\r\n\r\n")
        sidecar.end()
        forwarded, broken = sidecar.log.splitlines()
        ms = r"\d+\.\dms"
        self.assertRegex(forwarded, rf"^\S+Z GET {ME} 200 verdict=ok attempts=1 "
                                    rf"held={ms} upstream={ms} total={ms}$")
        self.assertRegex(broken, rf"^\S+Z - - 400 total={ms}$")

    def test_nobody_who_reads_it_and_a_full_disk_end_nothing(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        sidecar.process.stdout.close()
        full = self.sidecar(emulator, "--access-log", "/dev/full")
        for one in (sidecar, full):
            for _ in range(3):
                self.assertEqual(one.get("/healthz").status, 200)
            self.assertEqual(one.get(ME).status, 200)
            one.process.send_signal(signal.SIGTERM)
            self.assertEqual(one.process.wait(HUNG_S), 0)

    def test_it_goes_on_in_a_new_file_after_sighup(self):
        file = Path(self.scratch.name) / "rotated-access.log"
        sidecar = self.sidecar(self.cloud(), "--access-log", str(file))
        sidecar.get("/healthz")
        old = file.with_suffix(".1")
        until(self, "a line", lambda: file.read_text(encoding="utf-8"))
        file.rename(old)
        sidecar.process.send_signal(signal.SIGHUP)
        until(self, "a new file", file.exists)
        sidecar.get("/readyz")
        sidecar.end()
        self.assertIn("/healthz", old.read_text(encoding="utf-8"))
        self.assertRegex(file.read_text(encoding="utf-8"), r"^\S+ GET /readyz ")


if __name__ == "__main__":
    unittest.main()
