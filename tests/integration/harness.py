"""Shared by the end-to-end tests: the emulator, the program, a program that links the library.

The program under test is $SKEWGUARD, else build/release/skewguard. Every output of every run is
searched for secrets and tokens.
"""

import base64
import json
import os
import re
import signal
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import truth

# A script's background jobs ignore interrupts, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent.parent
SKEWGUARD = os.environ.get("SKEWGUARD", str(ROOT / "build/release/skewguard"))
CALLS_ON_DEMAND = str(Path(SKEWGUARD).parent / "examples/calls_on_demand")
CLIENT, SECRET = "demo", "demo-secret-7f3a"
HUNG_S = 300  # a guard against a hang, not a measurement: the machine may be busy
WALLS = {"right": None, "fast": "900", "slow": "-900", "1970": "@600"}
# Settings with which a call may have to end before it can succeed.
BOUNDS = {"--timeout", "--max-wait", "--attempts", "--access-token-file", "--config",
          "SKEWGUARD_TIMEOUT", "SKEWGUARD_MAX_WAIT", "SKEWGUARD_ATTEMPTS",
          "GENESYS_CLOUD_ACCESS_TOKEN", "SKEWGUARD_CONFIG"}

# What must never be seen: the secret, Basic credentials, opaque tokens (86 base64url characters),
# JWTs. (Correlation ids and digests are shorter.)
FORBIDDEN = [re.compile(re.escape(SECRET)),
             re.compile(re.escape(base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode())),
             re.compile(r"(?<![\w-])[\w-]{80,}(?![\w-])"), re.compile(r"eyJ[\w-]{10,}")]


def build_preload(folder, name="wallclock"):
    library = str(Path(folder) / f"{name}.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library,
                    str(ROOT / f"tests/preload/{name}.c")], check=True)
    return library


def is_wall_wrong(env):
    """Whether a program with this environment has a wrong wall clock."""
    return env.get("SKEWGUARD_TEST_WALL_OFFSET", "0") != "0"


class Emulator:
    """`skewguard emulate` with these flags, and its control API. `ours_alone`: only the program
    asks it, and each of its calls is reported (truth.py)."""

    running = {}  # by the URL of each host

    def __init__(self, *flags, secret=SECRET, ours_alone=True, test="an emulator", env=None):
        self.ours_alone = ours_alone
        self.process = subprocess.Popen(
            [SKEWGUARD, "emulate", "--client", f"{CLIENT}:{secret}", *flags],
            env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.said = {}
        for line in self.process.stdout:
            name, _, value = line.strip().partition(" ")
            self.said[name] = value
            if name == "ready":
                break
        if "ready" not in self.said:
            self.process.kill()
            raise RuntimeError(f"the emulator did not start: {self.process.stderr.read()}")
        self.login, self.api = self.said["login"], self.said["api"]
        self.name = f"{test} ({os.getpid()}, {self.login})"
        self.running[self.login] = self.running[self.api] = self

    def open(self, request):
        """The control API, whose certificate nobody here checks."""
        context = ssl._create_unverified_context() if self.login.startswith("https") else None
        return urllib.request.urlopen(request, timeout=HUNG_S, context=context)

    def order(self, path, **fields):
        if path == "stats/reset":
            self.write_truth()
        request = urllib.request.Request(f"{self.login}/emulator/{path}",
                                         data=json.dumps(fields).encode(), method="POST")
        with self.open(request) as answer:
            return json.load(answer)

    def stats(self):
        with self.open(f"{self.login}/emulator/stats") as answer:
            return json.load(answer)

    def effects(self):
        """How often each request took effect, by its Idempotency-Key."""
        with self.open(f"{self.login}/emulator/effects") as answer:
            return json.load(answer)["by_key"]

    def new_token(self, secret=SECRET):
        """The value of a token that a client of its own has requested."""
        basic = base64.b64encode(f"{CLIENT}:{secret}".encode()).decode()
        request = urllib.request.Request(f"{self.login}/oauth/token",
                                         data=b"grant_type=client_credentials",
                                         headers={"Authorization": f"Basic {basic}"})
        with self.open(request) as answer:
            return json.load(answer)["access_token"]

    def write_truth(self):
        """What it knows of the answers that failed, for the matrix."""
        truth.answered(self.name, self.stats(), self.ours_alone)

    @classmethod
    def names(cls, login, api):
        """Of those that play these hosts."""
        return {host: cls.running[url].name for host, url in (("login", login), ("api", api))
                if url in cls.running}

    def token_requests(self):
        return self.stats()["token_requests"]["total"]

    def api_sends(self):
        """Requests that reached the API host, oldest first; those with a token name its number."""
        return [r for r in self.stats()["recent"] if r["host"] == "api"]

    def stop(self):
        self.write_truth()
        for url in (self.login, self.api):
            self.running.pop(url, None)
        self.process.terminate()
        self.process.wait(HUNG_S)
        self.process.stdout.close()
        self.process.stderr.close()


class Run:
    """How one run of the program ended."""

    def __init__(self, done, report_text):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.report_text = report_text
        self.report = json.loads(report_text) if report_text else None

    def verdict(self):
        return self.report["verdict"]

    def attempts(self, **wanted):
        return [a for a in self.report["attempts"]
                if all(a.get(k) == v for k, v in wanted.items())]


class EndToEnd(unittest.TestCase):
    """A scratch folder, the wall-clock preload, and runs that are searched for secrets."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.preload = build_preload(cls.scratch.name)

    def emulator(self, *flags, **more):
        emulator = Emulator(*flags, test=self.id(), **more)
        self.addCleanup(emulator.stop)
        return emulator

    def environment(self, login, api, wall="right", **more):
        env = {k: v for k, v in os.environ.items()
               if not re.match("GENESYS|SKEWGUARD_|XDG_|CREDENTIALS|HTTPS?_PROXY", k, re.I)}
        env.update(GENESYS_CLOUD_CLIENT_ID=CLIENT, GENESYS_CLOUD_CLIENT_SECRET=SECRET,
                   SKEWGUARD_LOGIN_URL=login, SKEWGUARD_API_URL=api, HOME=self.scratch.name,
                   SKEWGUARD_TOKEN_STORE="none")
        if WALLS[wall] is not None:
            env.update(LD_PRELOAD=self.preload, SKEWGUARD_TEST_WALL_OFFSET=WALLS[wall])
        env.update(more)
        return {k: v for k, v in env.items() if v is not None}

    def run_with(self, login, api, *arguments, wall="right", report=True, stdin=None, tokens=False,
                 prefix=(), judged=True, **more):
        """One run at -v -v -v. `tokens`: stdout may hold a token (`skewguard token`). `prefix`: a
        command that runs the program. `judged`: truth.py knows what is true of its answers."""
        with tempfile.TemporaryDirectory(dir=self.scratch.name) as folder:
            path = Path(folder) / "report.json"
            command = [*prefix, SKEWGUARD, *arguments, "-v", "-v", "-v"]
            if report:
                command += ["--report", str(path)]
            env = self.environment(login, api, wall, **more)
            done = subprocess.run(command, env=env, input=stdin, capture_output=True, text=True,
                                  errors="backslashreplace", timeout=HUNG_S)
            run = Run(done, path.read_text(encoding="utf-8") if path.exists() else "")
        if run.report and judged:
            limited = not BOUNDS.isdisjoint([*arguments, *more])
            truth.told(run.report, self.id(), Emulator.names(login, api), limited,
                       is_wall_wrong(env))
        self.assert_no_secrets(run.err, run.report_text, "" if tokens else run.out)
        return run

    def run_program(self, emulator, *arguments, **more):
        return self.run_with(emulator.login, emulator.api, *arguments, **more)

    def assert_no_secrets(self, *texts):
        for text in texts:
            for pattern in FORBIDDEN:
                found = pattern.search(text)
                if found:
                    self.fail(f"a secret or token is in the output: {pattern.pattern}\n{text}")

    def assert_came_through(self, run, verdict="ok"):
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(run.verdict(), verdict, run.report_text)
        self.assertEqual(run.report["exit_code"], 0)
        self.assertEqual(run.report["http_status"], 200)
        self.assertEqual(run.report["mitigated"], verdict != "ok")

    def assert_one_error_line(self, run, code):
        """The exit code, and one clear line on stderr beside the log's."""
        self.assertEqual(run.code, code, run.err)
        lines = [l for l in run.err.splitlines() if l.startswith("skewguard: ") and
                 not re.match(r"skewguard: (trace|debug|info|warning|critical)", l)]
        self.assertEqual(len(lines), 1, run.err)
        return lines[0]


class LongRunning:
    """A program that links the library and calls on demand (examples/calls_on_demand.cpp)."""

    def __init__(self, test, emulator, wall="right", **more):
        self.test = test
        self.emulators = Emulator.names(emulator.login, emulator.api)
        env = test.environment(emulator.login, emulator.api, wall, **more)
        self.wall_wrong = is_wall_wrong(env)
        self.process = subprocess.Popen(
            [CALLS_ON_DEMAND], env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        test.addCleanup(self.stop)

    def calls(self, count=1, method="GET", path="/api/v2/tokens/me", body=""):
        """The reports of `count` calls made at once."""
        self.process.stdin.write(f"{count} {method} {path} {body}\n".encode())
        self.process.stdin.flush()
        reports = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(self.process.stderr.read().decode())
            size = int(line)
            if size == 0:
                break
            text = self.process.stdout.read(size).decode()
            self.test.assert_no_secrets(text)
            reports.append(json.loads(text))
            truth.told(reports[-1], self.test.id(), self.emulators, wall_wrong=self.wall_wrong)
        self.test.assertEqual(len(reports), count)
        return reports

    def call(self, **more):
        return self.calls(**more)[0]

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(HUNG_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.test.assert_no_secrets(self.process.stderr.read().decode())
        self.process.stdout.close()
        self.process.stderr.close()


def refusing_place(test):
    """"127.0.0.1:PORT", where attempts to connect are refused until the test ends. The port is
    taken, so that no server of another test gets it meanwhile."""
    taken = socket.socket()
    test.addCleanup(taken.close)
    taken.bind(("127.0.0.1", 0))  # and never listens
    return f"127.0.0.1:{taken.getsockname()[1]}"


class Swallows:
    """An address where attempts to connect get no answer at all: a listener whose queue is full."""

    def __init__(self, address="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sockets = [socket.socket(family)]
        self.sockets[0].bind((address, port))
        self.sockets[0].listen(0)
        self.port = self.sockets[0].getsockname()[1]
        for _ in range(4):
            self.sockets.append(socket.socket(family))
            self.sockets[-1].setblocking(False)
            self.sockets[-1].connect_ex((address, self.port))

    def close(self):
        for one in self.sockets:
            one.close()


def read_head(stream):
    """The head of one request, its empty line too; None where the stream ends before."""
    head = b""
    while b"\r\n\r\n" not in head:
        line = stream.readline()
        if not line:
            return None
        head += line
    return head


class RawServer:
    """Answers each request with the bytes of `answer(method, path, head)`, or with the pieces
    that it yields, then closes."""

    def __init__(self, test, answer):
        seen = self.seen = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                head = read_head(self.rfile)
                if head is None:
                    return
                length = re.search(rb"content-length: *(\d+)", head, re.I)
                self.rfile.read(int(length.group(1)) if length else 0)
                method, path = head.split(b" ")[:2]
                seen.append((method.decode(), path.decode(), head.decode("latin-1")))
                try:
                    said = answer(method.decode(), path.decode(), head)
                    for piece in (said,) if isinstance(said, bytes) else said:
                        self.wfile.write(piece)
                except (BrokenPipeError, ConnectionResetError):
                    pass

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        test.addCleanup(self.stop)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(HUNG_S)


def answer(status, body=b"", *fields, reason="X"):
    """One HTTP answer with a true Date: gmtime() by itself reads a clock that is late by a tick."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time()))
    head = [f"HTTP/1.1 {status} {reason}", f"Date: {date}", f"Content-Length: {len(body)}",
            "Connection: close", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
