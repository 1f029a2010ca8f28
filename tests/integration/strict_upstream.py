"""An API host that takes what RFC 9112 allows a client to send and nothing else, and remembers it.

Independent of the code under test: what reaches it, it reads for itself.
"""

import re
import socket
import threading

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"(%s) ([\x21-\x7e]+) HTTP/1\.1" % TOKEN)
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) ([\x20-\x7e\t]*)")
VALUE = rb"[\x21-\xff](?:[\x20-\x7e\t\x80-\xff]*[\x21-\xff])?"
FIELD = re.compile(rb"(%s):[ \t]*(%s)?[ \t]*" % (TOKEN, VALUE))
TOKEN_CHECK = b"/api/v2/tokens/me"
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(;[\x20-\x7e\t]*)?")


class Malformed(Exception):
    pass


class Incomplete(Malformed):
    """The connection ended within a message: it was given up, and means nothing."""


class Closed(Exception):
    """The connection ended between two messages."""


class Wire:
    """The bytes of one connection, read by lines and lengths."""

    def __init__(self, connection):
        self.connection, self.rest = connection, b""

    def more(self):
        got = self.connection.recv(65536)
        self.rest += got
        return bool(got)

    def line(self, may_end=False):
        while b"\r\n" not in self.rest:
            if not self.more():
                if may_end and not self.rest:
                    raise Closed
                raise Incomplete(f"it ends in the middle of a line: {self.rest[-100:]!r}")
        line, self.rest = self.rest.split(b"\r\n", 1)
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise Malformed(f"a bare CR, LF or a NUL: {line!r}")
        return line

    def exactly(self, size):
        while len(self.rest) < size:
            if not self.more():
                raise Incomplete(f"{size - len(self.rest)} bytes of the body are missing")
        got, self.rest = self.rest[:size], self.rest[size:]
        return got

    def all(self):
        while self.more():
            pass
        got, self.rest = self.rest, b""
        return got


class Message:
    """`start`: what its first line says; `fields`: (name, value) as they came."""

    def __init__(self, start, fields):
        self.start, self.fields, self.body = start, fields, b""

    def all(self, name):
        return [value for one, value in self.fields if one.lower() == name.lower()]

    def framing(self):
        """("length", N), ("chunked", 0) or (None, 0)."""
        lengths, codings = self.all(b"Content-Length"), self.all(b"Transfer-Encoding")
        if len(lengths) + len(codings) > 1:
            raise Malformed(f"more than one framing: {self.fields}")
        if lengths:
            if not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
                raise Malformed(f"Content-Length: {lengths[0]!r}")
            return "length", int(lengths[0])
        if codings:
            if codings[0] != b"chunked":
                raise Malformed(f"Transfer-Encoding: {codings[0]!r}")
            return "chunked", 0
        return None, 0


def read_head(wire, start):
    first = wire.line(may_end=True)
    match = start.fullmatch(first)
    if not match:
        raise Malformed(f"the first line is {first[:200]!r}")
    fields = []
    while line := wire.line():
        field = FIELD.fullmatch(line)
        if not field:
            raise Malformed(f"no field: {line[:200]!r}")
        fields.append((field.group(1), field.group(2) or b""))
    return Message(match.groups(), fields)


def read_chunks(wire):
    body = b""
    while True:
        line = wire.line()
        match = CHUNK_LINE.fullmatch(line)
        if not match:
            raise Malformed(f"no line of a chunk: {line[:200]!r}")
        size = int(match.group(1), 16)
        if size == 0:
            break
        body += wire.exactly(size)
        if wire.exactly(2) != b"\r\n":
            raise Malformed("a chunk without its end")
    while trailer := wire.line():
        if not FIELD.fullmatch(trailer):
            raise Malformed(f"no trailer: {trailer[:200]!r}")
    return body


def read_request(wire):
    request = read_head(wire, REQUEST_LINE)
    if len(request.all(b"Host")) != 1 or not request.all(b"Host")[0]:
        raise Malformed(f"not one Host: {request.fields}")
    kind, size = request.framing()
    if request.all(b"Expect"):
        wire.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.body = read_chunks(wire) if kind == "chunked" else wire.exactly(size)
    return request


def read_answer(wire, method):
    """The final answer; its `start` is (status, reason)."""
    while True:
        answer = read_head(wire, STATUS_LINE)
        status = int(answer.start[0])
        if status >= 200:
            break
    kind, size = answer.framing()
    if method == b"HEAD" or status in (204, 304):
        return answer
    if kind == "chunked":
        answer.body = read_chunks(wire)
    else:
        answer.body = wire.exactly(size) if kind else wire.all()
    return answer


class ThreadedServer:
    """Listens on a free loopback port, at `url`, until the test ends. For each connection it calls
    `serve(connection)`, which a subclass defines, on a thread of its own."""

    def __init__(self, test):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()
        test.addCleanup(self.listener.close)
        test.addCleanup(self.listener.shutdown, socket.SHUT_RDWR)

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()


class StrictUpstream(ThreadedServer):
    """Answers each request with the pieces of bytes that `answer(request)` gives; where it also
    gives None, the connection ends after it. `seen`: requests; `faults`: what it would not read.
    The sidecar's own check of a new token is always answered well, and not seen."""

    def __init__(self, test, answer):
        self.answer, self.seen, self.faults = answer, [], []
        self.lock = threading.Lock()
        self.open = set()
        super().__init__(test)
        test.addCleanup(self.stop)

    def serve(self, connection):
        with self.lock:
            self.open.add(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(connection)
        try:
            while self.exchange(wire):
                pass
        except (Closed, Incomplete, OSError):
            pass
        except Malformed as why:
            with self.lock:
                self.faults.append(str(why))
        with self.lock:
            self.open.discard(connection)
            connection.close()

    def exchange(self, wire):
        request = read_request(wire)
        if request.start[1] == TOKEN_CHECK:
            wire.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return True
        with self.lock:
            self.seen.append(request)
        if wire.rest:
            raise Malformed(f"bytes behind a request before its answer: {wire.rest[:200]!r}")
        for piece in self.answer(request):
            if piece is None:
                return False
            wire.connection.sendall(piece)
        return True

    def stop(self):
        with self.lock:
            for connection in self.open:
                connection.shutdown(socket.SHUT_RDWR)
