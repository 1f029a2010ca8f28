#!/usr/bin/env python3
"""A login host and an API host on loopback that answer byte for byte as a case says.

    tests/cases/raw.py CASE.py                     serves until it is interrupted
    tests/cases/raw.py CASE.py COMMAND [ARG...]    runs `skewguard COMMAND ...` against them

A case is a module with `login(request, state)`, asked for each POST to the login host, and
`api(request, state)`, asked for each request to the API host. Both return the bytes of an answer, a
list of bytes and pauses in seconds, or None, which closes the connection. `state` is shared.
`ENVIRONMENT`, if a case has it, holds the settings that it needs; `date(host)`, the Date field of
the login host's answers to all other methods (405). $SKEWGUARD names the program, by default
build/release/skewguard. At the end stands what the hosts saw.
"""

import base64
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

CLIENT, SECRET = "demo", "demo-secret-7f3a"
OPAQUE = "tok-aaaabbbbccccdddd-"  # begins each opaque token
OWNER = {"organization": {"id": "o-1", "name": "Org"},
         "OAuthClient": {"id": "c-1", "name": "Case"}}


class Request:
    def __init__(self, head, body):
        line, *fields = head.decode("latin-1").split("\r\n")
        self.method, self.target = line.split(" ")[:2]
        self.headers = {}
        for field in fields:
            name, _, value = field.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        self.body = body

    def credentials(self, scheme):
        word, _, value = self.headers.get("authorization", "").partition(" ")
        return value if word == scheme else None

    @property
    def bearer(self):
        return self.credentials("Bearer")

    @property
    def basic(self):
        value = self.credentials("Basic")
        return base64.b64decode(value).decode() if value else ""


def http_date(offset=0.0):
    return formatdate(time.time() + offset, usegmt=True)


def answer(status, body=b"", *fields, date=None, content_type="application/json"):
    """One HTTP answer; a dict or list becomes JSON."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    head = [f"HTTP/1.1 {status} X", f"Date: {date or http_date()}",
            f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def owner(**more):
    """The API's good answer, in the form of /api/v2/tokens/me."""
    return answer(200, OWNER, **more)


def token(state, date=None, **fields):
    """A new opaque token of an hour, or what `fields` say."""
    state.issued += 1
    body = {"access_token": f"{OPAQUE}{state.issued}", "token_type": "Bearer", "expires_in": 3600}
    return answer(200, body | fields, date=date)


def jwt(**claims):
    def encode(part):
        return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
    return f"{encode({'alg': 'HS256', 'typ': 'JWT'})}.{encode(claims)}.c2ln"


def claims_of(text):
    part = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def load(path):
    sys.modules.setdefault("raw", sys.modules[__name__])
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    case = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(case)
    return case


class Hosts:
    """Both hosts of one case. `tls`: an ssl.SSLContext; None: plain HTTP."""

    def __init__(self, case, tls=None):
        self.case, self.tls = case, tls
        self.state = SimpleNamespace(issued=0)
        self.token_requests = 0
        self.api_sends = 0  # requests to the API host that carried a token
        self.lock = threading.Lock()
        self.sockets = []
        self.login, self.api = self.listen(self.answer_login), self.listen(self.answer_api)

    def environment(self):
        """The settings that reach these hosts."""
        return {"SKEWGUARD_LOGIN_URL": self.login, "SKEWGUARD_API_URL": self.api,
                "GENESYS_CLOUD_CLIENT_ID": CLIENT, "GENESYS_CLOUD_CLIENT_SECRET": SECRET,
                "SKEWGUARD_TOKEN_STORE": "none", **getattr(self.case, "ENVIRONMENT", {})}

    def listen(self, handler):
        server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.sockets.append(server)
        threading.Thread(target=self.accept, args=(server, handler), daemon=True).start()
        return f"http{'s' if self.tls else ''}://127.0.0.1:{server.getsockname()[1]}"

    def accept(self, server, handler):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return  # closed by stop()
            threading.Thread(target=self.serve, args=(connection, handler), daemon=True).start()

    def serve(self, connection, handler):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while self.serve_one(connection, stream, handler):
                    pass
        except OSError:
            pass  # the client left

    @staticmethod
    def serve_one(connection, stream, handler):
        """Whether the connection stays open."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return False
            head += line
        request = Request(head[:-4], b"")
        request.body = stream.read(int(request.headers.get("content-length", 0)))
        pieces = handler(request)
        if pieces is None:
            return False
        pieces = pieces if isinstance(pieces, list) else [pieces]
        for piece in pieces:
            if isinstance(piece, bytes):
                connection.sendall(piece)
            else:
                time.sleep(piece)
        return not any(isinstance(p, bytes) and b"Connection: close" in p for p in pieces)

    def answer_login(self, request):
        with self.lock:
            if request.method != "POST":
                date = getattr(self.case, "date", lambda host: http_date())
                return answer(405, date=date("login"))
            self.token_requests += 1
            return self.case.login(request, self.state)

    def answer_api(self, request):
        with self.lock:
            self.api_sends += request.bearer is not None
            out = self.case.api(request, self.state)
            if request.method == "HEAD" and isinstance(out, bytes):
                out = out[:out.index(b"\r\n\r\n") + 4]
            return out

    def seen(self):
        return {"token_requests": self.token_requests, "api_sends": self.api_sends}

    def stop(self):
        for server in self.sockets:
            server.shutdown(socket.SHUT_RDWR)
            server.close()


def main(path, *command):
    hosts = Hosts(load(path))
    if not command:
        print(f"login {hosts.login}\napi {hosts.api}\nready", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(json.dumps(hosts.seen()), file=sys.stderr)
        return 0
    program = os.environ.get("SKEWGUARD", "build/release/skewguard")
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, **hosts.environment(), "XDG_RUNTIME_DIR": folder}
        status = subprocess.run([program, *command, "--ntp", "none"], env=env).returncode
    print(json.dumps(hosts.seen()), file=sys.stderr)
    return status


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
