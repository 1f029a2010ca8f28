"""Plays a scenario file with a client in a program of its own, and counts what came of it.

A wall clock that steps and a machine that is suspended or stopped are played by a preload that
moves CLOCK_REALTIME and CLOCK_BOOTTIME of a running program (tests/preload/wallclock.c).
"""

import http.client
import json
import os
import struct
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from harness import CLIENT, ROOT, SKEWGUARD, Emulator

PYTHON = "/usr/bin/python3"  # the one that Debian's packages belong to
# Letters and digits alone: some clients form-encode it before Basic (RFC 6749 section 2.3.1),
# which the platform does not undo.
SECRET = "demosecret7f3a"
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("GENESYS", "SKEWGUARD_"))}
PACKAGES = f"{ROOT}/tests/python:{Path(SKEWGUARD).resolve().parent}/python"
PATIENCE = 120  # seconds that a client may take beyond the last call's time
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    """A duration of a scenario file."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return float(number) * UNITS[text[len(number):] or "s"]


class Clocks:
    """By how much the clocks of one program differ from this machine's, in seconds."""

    def __init__(self, preload, wall=0.0):
        self.file = tempfile.NamedTemporaryFile()
        self.wall, self.boot = wall, 0.0
        self.env = {"LD_PRELOAD": preload, "SKEWGUARD_TEST_WALL_FILE": self.file.name}
        self.move()

    def move(self, wall=0.0, boot=0.0):
        self.wall += wall
        self.boot += boot
        self.file.seek(0)
        self.file.write(struct.pack("=qq", int(self.wall * 1e9), int(self.boot * 1e9)))
        self.file.flush()

    def close(self):
        self.file.close()


class Fate:
    """What befalls the client's machine: the local events of a scenario. They come before the call
    of the same time: one under way would miss its deadline while the machine sleeps."""

    EARLY = 0.2  # seconds

    def __init__(self, scenario, client, servers):
        self.client, self.servers = client, servers
        events = defaultdict(list)
        for event in scenario.get("event", []):
            if event.get("order") == "local":
                events[seconds(event["at"])].append(event)
        self.timers = [threading.Timer(max(0.0, at - Fate.EARLY), self.happen, [all_of])
                       for at, all_of in events.items()]

    def happen(self, events):
        stopped = suspended = stepped = 0.0
        for event in events:
            suspended += seconds(event.get("suspend", "0s"))
            stopped += seconds(event.get("stand_still", "0s"))
            stepped += seconds(event.get("wall_step", "0s"))
        # True time, which is the servers', passes through all of it.
        self.servers.move(suspended + stopped, suspended + stopped)
        self.client.move(suspended + stepped, suspended)

    def begin(self):
        for timer in self.timers:
            timer.start()

    def end(self):
        for timer in self.timers:
            timer.cancel()


class Servers(Emulator):
    """An emulator with clocks of its own."""

    starting = threading.Lock()  # it takes the environment of this process

    def __init__(self, clocks, *flags):
        with Servers.starting:
            os.environ.update(clocks.env)
            try:
                super().__init__(*flags, secret=SECRET, ours_alone=False)
            finally:
                for name in clocks.env:
                    del os.environ[name]


class Gateway:
    """One host for login and API, as the gateway setting of the official SDK wants it:
    /login/... and /api/... go where they belong; answers pass through as they are."""

    def __init__(self, login, api):
        targets = {"login": urlsplit(login).netloc, "api": urlsplit(api).netloc}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                side, _, rest = self.path.lstrip("/").partition("/")
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length) if length else None
                connection = http.client.HTTPConnection(targets[side], timeout=30)
                try:
                    connection.request(self.command, "/" + rest, body, dict(self.headers))
                    answer = connection.getresponse()
                    content = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    connection.close()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = forward

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Driver:
    """A client in a program that says when it is ready, is told where the servers are, and prints a
    line for each call. It makes `at_least` to `at_most` calls at a time, as the scenario wants."""

    def __init__(self, *command, at_least=1, at_most=1):
        self.command, self.at_least, self.at_most = command, at_least, at_most

    def start(self, plan, env):
        callers = min(max(plan["callers"], self.at_least), self.at_most)
        self.calls, self.limit = plan["calls"] * callers, plan["calls"] * plan["every"] + PATIENCE
        self.process = subprocess.Popen(self.command, env=env | {"BENCH_CALLERS": str(callers)},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self.command} did not start")

    def calls_made(self, urls):
        """{"status"} of each, or 0 where there was none; with what else the program tells."""
        process = self.process
        limit = threading.Timer(self.limit, process.kill)
        limit.start()
        try:
            with process:
                process.stdin.write(" ".join(urls) + "\n")
                process.stdin.flush()
                made = [json.loads(line) for line in process.stdout]
        finally:
            limit.cancel()
        return made + [{"status": 0}] * (self.calls - len(made))  # it died of it


def failed(call):
    return not 200 <= call["status"] < 300


def judge(made, stats):
    asked = stats["token_requests"]["by_outcome"]
    return {"calls": len(made), "made": made, "failures": sum(map(failed, made)),
            # HEAD and GET of its path carry no credentials: looks at the host's clock.
            "token_requests": sum(asked.values()) - asked.get("method_not_allowed", 0),
            "refused": stats["api_requests"]["by_status"].get("401", 0),
            "asked_at": [r["at_s"] for r in stats["recent"] if r["host"] == "login" and
                         r["method"] == "POST" and r["path"] == "/oauth/token"]}


def play(path, scenario, client, preload):
    """One client through one scenario, which begins when the client is ready."""
    wanted = scenario.get("client", {})
    plan = {"calls": wanted.get("calls", 10), "every": seconds(wanted.get("every", "1s")),
            "callers": wanted.get("callers", 1)}
    clocks = Clocks(preload, seconds(wanted.get("wall_offset", "0s")))
    env = ENVIRONMENT | clocks.env | {
        "GENESYS_CLOUD_CLIENT_ID": CLIENT, "GENESYS_CLOUD_CLIENT_SECRET": SECRET,
        "SKEWGUARD_TOKEN_STORE": "none", "PYTHONPATH": PACKAGES,
        "OAUTHLIB_INSECURE_TRANSPORT": "1", "AUTHLIB_INSECURE_TRANSPORT": "1",
        "BENCH_CALLS": str(plan["calls"]), "BENCH_EVERY_MS": str(int(plan["every"] * 1000))}
    client.start(plan, env)
    true_clocks = Clocks(preload)
    emulator = Servers(true_clocks, "--scenario", str(path))
    fate = Fate(scenario, clocks, true_clocks)
    gateway = Gateway(emulator.login, emulator.api)
    try:
        fate.begin()
        made = list(client.calls_made([emulator.login, emulator.api, gateway.url]))
        return judge(made, emulator.stats())
    finally:
        fate.end()
        gateway.stop()
        emulator.stop()
        clocks.close()
        true_clocks.close()
