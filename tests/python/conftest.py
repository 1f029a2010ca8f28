"""Shared by the tests of the Python package.

    PYTHONPATH=build/release/python /usr/bin/python3 -m pytest tests/python

They run on Debian's Python, against the emulator and small servers of their own, all on loopback.
"""

import http.server
import os
import re
import sys
import threading
from pathlib import Path

import pytest

import skewguard

pytest_plugins = ["skewguard.testing"]

ROOT = Path(__file__).resolve().parent.parent.parent
HUNG_S = 300  # a guard against a hang, not a measurement
AHEAD = ("--login-offset", "3s", "--strict-nbf")  # the API refuses new tokens for 3 s
ME = "/api/v2/tokens/me"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No settings of whoever runs the tests."""
    for name in os.environ:
        if re.match("GENESYS|SKEWGUARD_|XDG_|CREDENTIALS|HTTPS?_PROXY", name, re.I):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def emulator(skewguard_emulator):
    """An emulator whose clocks are right."""
    return skewguard_emulator()


@pytest.fixture
def ahead(skewguard_emulator):
    """An emulator whose login host is 3 s ahead: the first send is always refused."""
    return skewguard_emulator(*AHEAD)


@pytest.fixture
def client(emulator):
    with skewguard.Client(**emulator.settings) as one:
        yield one


@pytest.fixture
def client_ahead(ahead):
    with skewguard.Client(**ahead.settings) as one:
        yield one


def sends(emulator):
    """(method, path, status, number of the token) of each request that reached the API."""
    return [(r["method"], r["path"], r["status"], r.get("token"))
            for r in emulator.stats()["recent"] if r["host"] == "api"]


class Server:
    """Answers each request with what `answer(request)` returns: (status, headers, body). Keeps the
    requests; the body of each is in `request.received`."""

    def __init__(self, answer):
        server = self
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    self.received = b"".join(self.chunks())
                else:
                    self.received = self.rfile.read(int(self.headers["Content-Length"] or 0))
                server.seen.append(self)
                status, headers, body = answer(self)
                self.send_response_only(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_POST = do_PUT = do_HEAD = do_GET

            def chunks(self):
                while size := int(self.rfile.readline(), 16):
                    yield self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()

            def log_message(self, *_):
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.httpd.server_address[1]}"
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def tokens(self):
        """The Authorization of each request; None = it had none."""
        return [request.headers.get("Authorization") for request in self.seen]

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()


@pytest.fixture
def serve():
    """Starts servers: serve(answer)."""
    running = []

    def start(answer):
        running.append(Server(answer))
        return running[-1]

    yield start
    for one in running:
        one.close()


sys.path.append(str(Path(__file__).resolve().parent))  # the stand-in for the SDK
