"""Bodies that are larger than memory should hold, clients that are slow, and clients that leave.

What the sidecar has read and not yet written is counted from outside: the bytes that one side has
sent and the other has got, less those that wait in the kernel (/proc/net/tcp).
"""

import os
import queue
import resource
import select
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest
from pathlib import Path

import harness
from harness import HUNG_S, RawServer
from strict_upstream import (TOKEN_CHECK, StrictUpstream, ThreadedServer, Wire, read_answer,
                             read_request)
from test_serve import ServeTest, Sidecar

LONG = bool(os.environ.get("SKEWGUARD_LONG"))
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
AHEAD = MIB  # that the sidecar may have read and not yet written
GROWTH = 4 * MIB  # of its memory
PIECE = bytes(64 * KIB)


def kernel_queues():
    """{(local port, remote port): (bytes not acknowledged yet, bytes not read yet)} on IPv4."""
    found = {}
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, _, waiting = line.split()[:5]
        sent, got = waiting.split(":")
        found[int(local[9:], 16), int(remote[9:], 16)] = int(sent, 16), int(got, 16)
    return found


def ports(connection):
    return connection.getsockname()[1], connection.getpeername()[1]


def memory(pid):
    """Bytes of a process that are resident."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * KIB


class Flow:
    """A body on its way from `source` to `sink`, two sockets of ours, with the sidecar between."""

    def __init__(self, source, sink, size):
        self.source, self.sink, self.size = source, sink, size
        self.sent = self.got = 0
        source.setblocking(False)

    def give(self):
        """Sends what the kernel takes."""
        while self.sent < self.size:
            try:
                self.sent += self.source.send(PIECE[:self.size - self.sent])
            except BlockingIOError:
                return

    def take(self, size):
        """Reads so many bytes, giving meanwhile."""
        end = min(self.got + size, self.size)
        deadline = time.monotonic() + HUNG_S
        while self.got < end:
            self.give()
            if select.select([self.sink], [], [], 0.01)[0]:
                piece = self.sink.recv(min(end - self.got, MIB))
                if not piece:
                    raise EOFError(f"the body ends after {self.got} bytes")
                self.got += len(piece)
            elif time.monotonic() > deadline:
                raise TimeoutError(f"no more comes after {self.got} bytes")

    def ahead(self):
        """What is in the sidecar. Not too much even while bytes move: what is read comes first."""
        queues = kernel_queues()
        source, sink = ports(self.source), ports(self.sink)
        read = self.sent - queues[source][0] - queues[source[::-1]][1]
        return read - (self.got + queues[sink][1] + queues[sink[::-1]][0])

    def settle(self):
        """Until nothing moves any more, though more could be sent."""
        still, before = 0, None
        while still < 5:
            self.give()
            time.sleep(0.005)
            now = self.sent, self.ahead()
            still = still + 1 if now == before else 0
            before = now


class OneAtATime(ThreadedServer):
    """An API host whose connections the test drives: `next()` is one whose request head has come.
    The sidecar's own check of a token is answered well."""

    def __init__(self, test):
        self.waiting = queue.Queue()
        super().__init__(test)

    def serve(self, connection):
        while first := connection.recv(KIB, socket.MSG_PEEK):
            if b" " + TOKEN_CHECK + b" " not in first.split(b"\r\n")[0]:
                break
            read_request(Wire(connection))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.waiting.put(connection)

    def next(self):
        return self.waiting.get(timeout=HUNG_S)


def read_head(connection):
    """Byte by byte, so that nothing of the body is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise EOFError(f"a head ends in the middle: {head!r}")
        head += piece
    return head


class StreamTest(ServeTest):
    def connect(self, serving, room=None):
        """A connection to it; `room`: of the kernel's buffer for what comes."""
        host, port = serving.place.split(":")
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.settimeout(HUNG_S)
        if room:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        connection.connect((host, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


class SlowReaders(StreamTest):
    """A body waits where it comes from while the other side does not read."""

    SIZE = 2 * GIB if LONG else 96 * MIB  # more than the kernel's buffers on the way take
    STEPS = 32 if LONG else 6

    def setUp(self):
        self.upstream = OneAtATime(self)
        self.serving = Sidecar(self, self.cloud().login, self.upstream.url)
        self.serving.wait_until_ready()
        self.pass_body(MIB, self.download)  # code and buffers that every request needs are there
        self.idle = memory(self.serving.process.pid)

    def download(self, size):
        client = self.connect(self.serving, 64 * KIB)
        client.sendall(b"GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        api = self.upstream.next()
        self.addCleanup(api.close)
        read_head(api)
        api.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
        self.assertTrue(read_head(client).startswith(b"HTTP/1.1 200 "))
        return Flow(api, client, size)

    def upload(self, size):
        client = self.connect(self.serving)
        client.sendall(b"POST /api/v2/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                       % size)
        api = self.upstream.next()
        self.addCleanup(api.close)
        read_head(api)
        return Flow(client, api, size)

    def pass_body(self, size, begin):
        flow = begin(size)
        flow.take(size)
        self.assertEqual(flow.ahead(), 0)
        return flow

    def pass_slowly(self, begin):
        flow = begin(self.SIZE)
        flow.settle()
        self.assertLess(flow.sent, self.SIZE, "then this proves nothing")
        for _ in range(self.STEPS):
            self.assertLessEqual(flow.ahead(), AHEAD)
            self.assertLessEqual(memory(self.serving.process.pid), self.idle + GROWTH)
            flow.take(self.SIZE // self.STEPS // 2)
            flow.settle()
        flow.take(self.SIZE)
        return flow

    def test_a_slow_client_of_a_large_answer(self):
        self.pass_slowly(self.download)

    def test_a_slow_api_and_a_large_request(self):
        flow = self.pass_slowly(self.upload)
        flow.sink.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        flow.source.setblocking(True)
        self.assertEqual(read_answer(Wire(flow.source), b"POST").body, b"ok")


class EarlyAnswers(StreamTest):
    """The API answers while the client still sends, or before it does."""

    def setUp(self):
        self.emulated = self.cloud()
        self.serving = self.sidecar(self.emulated)
        self.serving.wait_until_ready()
        self.file = Path(self.scratch.name) / "large"
        with open(self.file, "wb") as file:
            file.truncate(GIB)
        self.emulated.order("fault", host="api", status=413, early=64 * KIB)

    def curl(self, *words):
        """(status, bytes of the answer's body, bytes sent of the request's)."""
        done = subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-T", str(self.file), "-X", "POST", *words, "-w",
             "%{http_code} %{size_download} %{size_upload}",
             f"{self.serving.url}/api/v2/emulator/upload"],
            capture_output=True, text=True, timeout=HUNG_S)
        self.assertEqual(done.stderr, "")
        return [int(word) for word in done.stdout.split()]

    def test_a_413_after_64_kib_of_1_gib_is_read_by_the_client(self):
        for words in (["-H", "Expect:"], ["-H", "Expect:", "-H", "Transfer-Encoding: chunked"]):
            status, got, sent = self.curl(*words)
            self.assertEqual(status, 413)
            self.assertGreater(got, 0)
            self.assertLess(sent, GIB, "it need not send all of it")

    def test_a_413_before_the_body_that_the_client_offers(self):
        self.emulated.order("fault", clear=True)
        self.emulated.order("fault", host="api", status=413, early=0)
        status, got, sent = self.curl("-H", "Expect: 100-continue", "--expect100-timeout", "60")
        self.assertEqual(status, 413)
        self.assertGreater(got, 0)
        self.assertLess(sent, GIB)


class ManyClients(StreamTest):
    IDLE, SLOW, CALLS = 10_000, 200, 200
    SLOW_BYTES = 16 * MIB

    def test_idle_connections_and_slow_readers_disturb_nobody(self):
        need = self.IDLE + 3 * self.SLOW + 200
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertGreaterEqual(most, need, "this test needs `ulimit -Hn` to be higher")
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        serving = self.sidecar(self.cloud(), "--access-log", "none")
        serving.wait_until_ready()
        idle = [self.connect(serving) for _ in range(self.IDLE)]
        slow = [self.connect(serving, 4 * KIB) for _ in range(self.SLOW)]
        for reader in slow:
            reader.sendall(b"GET /api/v2/emulator/download?bytes=%d HTTP/1.1\r\n"
                           b"Host: localhost\r\n\r\n" % self.SLOW_BYTES)
        for reader in slow:
            self.assertTrue(read_head(reader).startswith(b"HTTP/1.1 200 "))
        for _ in range(self.CALLS):
            self.assertEqual(serving.get("/api/v2/organizations/me").status, 200)
        for connection in idle:  # nobody was closed
            connection.setblocking(False)
            with self.assertRaises(BlockingIOError):
                connection.recv(1)
        for connection in idle[::100]:
            connection.setblocking(True)
            connection.sendall(b"GET /api/v2/organizations/me HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(read_answer(Wire(connection), b"GET").start[0], b"200")


class ConnectionsToTheApi(StreamTest):
    MOST = 256  # of one worker
    OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def setUp(self):
        self.api = OneAtATime(self)
        self.login = self.cloud().login

    def sidecar(self, *flags):
        return Sidecar(self, self.login, self.api.url, "--workers", "1", *flags)

    def answer_next(self):
        connection = self.api.next()
        read_request(Wire(connection))
        connection.sendall(self.OK)
        return connection

    def test_what_came_while_it_stood_still_is_no_answer_to_the_next_request(self):
        """The API closes an idle connection, perhaps with a 408, at the moment of a POST; or says
        something else that nobody asked for, or answers twice."""
        serving = self.sidecar()
        timed_out = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
        stale_answer = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nstale"
        for stale, ends in ((b"", True), (timed_out, True), (timed_out, False),
                            (stale_answer, True), (stale_answer, False), (b"\r\n", False)):
            client = self.connect(serving)
            client.sendall(b"GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            idle = self.answer_next()
            self.addCleanup(idle.close)
            self.assertEqual(read_answer(Wire(client), b"GET").start[0], b"200")
            serving.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, serving.process.pid, os.WSTOPPED)
            client.sendall(b"POST /api/v2/x HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: 1\r\n\r\nx")
            idle.sendall(stale)
            if ends:
                idle.shutdown(socket.SHUT_RDWR)
            serving.process.send_signal(signal.SIGCONT)
            other = self.answer_next()
            self.assertEqual(read_answer(Wire(client), b"POST").start[0], b"200")
            client.close()
            other.close()

    def test_who_waits_in_vain_for_one_is_told_so(self):
        serving = self.sidecar("--max-hold", "3s")
        clients, taken = [], []
        for _ in range(self.MOST):
            clients.append(self.connect(serving))
            clients[-1].sendall(b"GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            taken.append(self.api.next())
            self.addCleanup(taken[-1].close)
        answer = serving.get("/api/v2/x")
        self.assertEqual(answer.status, 503)
        self.assertRegex(answer.headers["Retry-After"], r"^\d+$")
        self.assertEqual(answer.json()["code"], "skewguard.api.connections.busy")
        self.assertIn("connections to the API", answer.json()["message"])
        read_request(Wire(taken[-1]))
        taken[-1].sendall(self.OK)
        self.assertEqual(read_answer(Wire(clients[-1]), b"GET").start[0], b"200")
        for client in clients:
            client.close()
        serving.end()
        self.assertRegex(serving.log, r" 503 held=[3-9]\d{3}\.\dms ")


class DepartingClients(StreamTest):
    COUNT = 1_000

    def test_who_leaves_in_the_middle_ends_the_request_to_the_api_too(self):
        upstream = OneAtATime(self)
        serving = Sidecar(self, self.cloud().login, upstream.url)
        serving.wait_until_ready()
        request = b"%s /api/v2/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        for what, sends, answer in (
                ("an answer that is awaited", request % (b"GET", 0), b""),
                ("an answer that is awaited, behind a request that was refused at once",
                 b"GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n" + request % (b"GET", 0), b""),
                ("the body of an answer", request % (b"GET", 0),
                 b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIB + bytes(MIB)),
                ("an answer without an end", request % (b"GET", 0),
                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"),
                ("the body of a request", request % (b"POST", GIB) + bytes(MIB), b""),
                ("the body of a request that can be sent again", request % (b"POST", 2) + b"x",
                 b"")):
            with self.subTest(what):
                client = self.connect(serving)
                client.sendall(sends)
                api = upstream.next()
                self.addCleanup(api.close)
                api.sendall(answer)
                client.close()
                self.assert_ends(api)
        self.assertEqual(serving.metric("skewguard_waiting_requests"), 0)
        self.assertEqual(serving.metric('skewguard_requests_total{code="0"}'), 2)
        serving.end()
        for outcome, count in ((" - cut=client ", 2), (" 200 cut=client verdict=ok ", 2),
                               (" 400 ", 2)):  # requests that are not complete
            self.assertEqual(serving.log.count(f" /api/v2/x{outcome}"), count, serving.log)

    def test_an_answer_that_the_api_cuts_is_not_logged_as_a_good_one(self):
        api = OneAtATime(self)
        serving = Sidecar(self, self.cloud().login, api.url)
        client = self.connect(serving)
        client.sendall(b"GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with api.next() as connection:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MIB + bytes(KIB))
        self.assert_ends(client)
        serving.end()
        self.assertIn(" /api/v2/x 200 cut=api verdict=ok ", serving.log)

    def assert_ends(self, connection):
        connection.settimeout(HUNG_S)
        try:
            while connection.recv(MIB):
                pass
        except ConnectionResetError:
            pass

    def without_token(self):
        """A sidecar whose requests wait for a token until `go` is set; the hosts."""
        go = threading.Event()
        self.addCleanup(go.set)

        def says(*_):
            go.wait(HUNG_S)
            return harness.answer(200, b'{"access_token":"t","token_type":"bearer",'
                                       b'"expires_in":3600}', "Content-Type: application/json")

        login = RawServer(self, says)
        api = StrictUpstream(self, lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
        serving = Sidecar(self, login.url, api.url, "--max-hold", "5m", "--timeout", "5m")
        return serving, go, login, api

    def test_who_only_sends_no_more_waits_for_its_answer(self):
        """RFC 9112 section 9.6. A client of HTTP/1.0 gets no interim answer, which would show if it
        is still there: one that has left looks the same until its answer comes."""
        serving, go, _, api = self.without_token()
        request = b"GET /api/v2/%s HTTP/1.%d\r\nHost: localhost\r\n\r\n"
        waiting = []
        for version in (0, 1):
            waiting.append(self.connect(serving))
            waiting[-1].sendall(request % (b"stays", version))
            waiting[-1].shutdown(socket.SHUT_WR)
        with self.connect(serving) as leaving:
            leaving.sendall(request % (b"leaves", 0))
        self.wait_until_parked(serving, 3)
        go.set()
        for client in waiting:
            self.assertEqual(read_answer(Wire(client), b"GET").start[0], b"200")
        self.wait_until_parked(serving, 0)
        serving.end()
        self.assertEqual(sorted(request.start[1] for request in api.seen),
                         [b"/api/v2/leaves", b"/api/v2/stays", b"/api/v2/stays"])

    def test_who_leaves_waits_no_more_and_is_not_sent(self):
        """While the token request is under way."""
        serving, go, login, api = self.without_token()
        leaving = [self.connect(serving) for _ in range(self.COUNT)]
        for n, client in enumerate(leaving):
            client.sendall(b"POST /api/v2/%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
                           b"\r\nx" % n)
        for client in leaving[::2]:  # with more behind it than the sidecar reads before it answers
            client.sendall(b"GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4000)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.wait_until_parked(serving, self.COUNT)
        for client in leaving:
            client.close()
        self.wait_until_parked(serving, 0)
        go.set()
        self.assertEqual(serving.get("/api/v2/last").status, 200)
        self.assertEqual([request.start[1] for request in api.seen], [b"/api/v2/last"])
        self.assertEqual(len(login.seen), 1)

    def wait_until_parked(self, serving, count):
        deadline = time.monotonic() + HUNG_S
        while serving.metric("skewguard_waiting_requests") != count:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main()
