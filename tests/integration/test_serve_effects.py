"""What a cut connection does to a request that passes through the sidecar.

The upstream ends the connection after any byte of the request or of its own answer, and keeps a
ledger of what reached it. A POST reaches it once, so it takes effect at most once, unless its token
was refused. The client gets one complete answer; where a large answer of the API broke off when it
was already on its way to the client, what the client gets is visibly incomplete. And an answer that
invites the client to try again (503 with Retry-After) means that nothing was sent.
"""

import re
import socket
import struct
import unittest

from harness import HUNG_S, answer
from strict_upstream import (TOKEN_CHECK, Closed, Malformed, ThreadedServer, Wire, read_answer,
                             read_request)
from test_serve import ServeTest, Sidecar

MIB = 1024 * 1024
SIZES = [0, 1, MIB, MIB + 1]
HOWS = ["cut", "reset"]
PATH = b"/api/v2/x"


class Cut(Exception):
    """The place of the cut is reached."""


class MeteredWire(Wire):
    """Counts the bytes of a request, and reads no more than `limit` of them."""

    def __init__(self, connection):
        super().__init__(connection)
        self.got, self.limit = 0, None

    def more(self):
        room = 1 << 18 if self.limit is None else self.limit - self.got
        if room == 0:
            raise Cut
        got = self.connection.recv(min(room, 1 << 18))
        self.got += len(got)
        self.rest += got
        return bool(got)


class Plan:
    """Where the connection ends: after so many bytes of the `request` or of the `answer`."""

    def __init__(self, where, place, how):
        self.where, self.place, self.how = where, place, how

    def __str__(self):
        return f"{self.how} after {self.place} bytes of the {self.where}"


class Attempt:
    """What arrived of a request. Unread bytes count as one."""

    def __init__(self):
        self.size, self.whole, self.took_effect, self.refused = 1, False, False, False


class CuttingUpstream(ThreadedServer):
    """An API host that keeps to a plan once, and answers well otherwise."""

    def __init__(self, test):
        self.plan, self.ledger, self.faults = None, [], []
        self.gives(b"")
        self.refused = set()  # of these tokens; None: every one that comes
        super().__init__(test)

    def gives(self, body, framing="length"):
        self.body, self.answer = body, good_answer(body, framing)

    def is_short(self):
        """Its answer is so short that it is passed on whole or not at all."""
        return b"Content-Length" in self.answer and len(self.body) <= 8 * 1024

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while first := connection.recv(1 << 16, socket.MSG_PEEK):
                if b" " + TOKEN_CHECK + b" " in first.split(b"\r\n")[0]:
                    read_request(Wire(connection))
                    connection.sendall(kept(200))
                elif not self.exchange(connection):
                    return
        except (Closed, OSError):
            pass
        except Malformed as why:
            self.faults.append(str(why))
        connection.close()

    def exchange(self, connection):
        attempt, plan, self.plan = Attempt(), self.plan, None
        self.ledger.append(attempt)
        wire = MeteredWire(connection)
        if plan and plan.where == "request" and self.refused is not None:
            wire.limit = plan.place
        try:
            request = read_request(wire)
        except Cut:
            attempt.size = max(1, wire.got)
            return end(connection, plan.how)
        attempt.size, attempt.whole = wire.got, True
        token = request.all(b"Authorization")[0]
        attempt.refused = self.refused is None or token in self.refused
        if attempt.refused:
            self.refused = {token}
            self.plan = plan  # for the next
            connection.sendall(refusal())
            return True
        attempt.took_effect = request.start[0] == b"POST"
        if plan and plan.where == "answer":
            connection.sendall(self.answer[:plan.place])
            return end(connection, plan.how)
        connection.sendall(self.answer)
        return True


def end(connection, how):
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        return False
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(1 << 18):  # with bytes unread, it would be a reset
        pass
    connection.close()
    return False


def kept(status, body=b"", *fields):
    """An answer that leaves the connection open."""
    return answer(status, body, *fields).replace(b"Connection: close\r\n", b"")


def good_answer(body, framing="length"):
    whole = kept(200, body, "X-Whole: yes")
    if framing == "length":
        return whole
    if framing == "close":
        return re.sub(rb"Content-Length: \d+", b"Connection: close", whole)
    chunks = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    head = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked",
                  whole[:whole.index(b"\r\n\r\n") + 4])
    return head + chunks + b"0\r\n\r\n"


def refusal():
    body = b'{"message":"Invalid login credentials.","code":"bad.credentials","status":401}'
    return kept(401, body, "Content-Type: application/json")


def places(head, size):
    """Bytes after which a message with such a head is cut: each of the head, and of the first and
    last few of what follows; and some between."""
    some = {*range(head + 12), *range(size - 9, size), *range(head, size, 100_003)}
    return sorted(some & {*range(size)})


class Effects(ServeTest):
    def setUp(self):
        self.upstream = CuttingUpstream(self)
        self.emulated = self.cloud()
        self.serving = Sidecar(self, self.emulated.login, self.upstream.url, "--access-log", "none")
        self.serving.wait_until_ready()
        self.client = None
        self.count = 0

    def connect(self):
        host, port = self.serving.place.split(":")
        connection = socket.create_connection((host, int(port)), timeout=HUNG_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.addCleanup(connection.close)
        return Wire(connection)

    def send(self, method, body):
        """The whole answer; None if it is visibly incomplete. As SDKs do, on a connection that is
        kept as long as it lasts."""
        self.client = self.client or self.connect()
        self.count += 1
        length = b"Content-Length: %d\r\n" % len(body) if method == b"POST" else b""
        head = (b"%s %s HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: %06d\r\n%s\r\n"
                % (method, PATH, self.count, length))
        try:
            self.client.connection.sendall(head + body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what it said before is still to be read
        try:
            got = read_answer(self.client, method)
        except (Malformed, ConnectionResetError):
            self.leave()
            return None
        if b"close" in b",".join(got.all(b"Connection")).lower():
            self.assertEqual(self.client.all(), b"", "bytes behind the answer")
            self.leave()
        return got

    def leave(self):
        self.client.connection.close()
        self.client = None

    def check(self, method, body, plan):
        """One request, whose connection is cut so; what came of it."""
        self.upstream.ledger.clear()
        self.upstream.plan = plan
        got = self.send(method, body)
        ledger = self.upstream.ledger
        self.assertEqual(self.upstream.faults, [])
        if method == b"POST":
            self.assertLessEqual(sum(attempt.took_effect for attempt in ledger), 1)
            self.assertLessEqual(sum(not attempt.refused for attempt in ledger), 1)
        if got is None:
            head = self.upstream.answer.index(b"\r\n\r\n") + 4
            self.assertEqual(plan.where, "answer", "no complete answer")
            self.assertGreaterEqual(plan.place, head, "no complete answer")
            self.assertFalse(self.upstream.is_short(), "no complete answer")
            return None
        status = int(got.start[0])
        self.assertIn(status, (200, 502, 503, 504))
        if status == 200:
            self.assertEqual(got.all(b"X-Whole"), [b"yes"])
            self.assertTrue(got.body == self.upstream.body, "not the body that was sent")
            self.assertTrue(ledger[-1].whole)
        elif got.all(b"Retry-After"):
            self.assertEqual(ledger, [])
        self.assertTrue(got.body or status == 200, "an error that says nothing")
        return status

    def size_of_request(self, method, body):
        self.assertEqual(self.check(method, body, None), 200)
        return self.upstream.ledger[-1].size

    def cut_everywhere(self, method, body, where, head, size):
        for how in HOWS:
            for place in places(head, size):
                plan = Plan(where, place, how)
                with self.subTest(method=method, size=len(body), answer=len(self.upstream.answer),
                                  plan=str(plan)):
                    self.check(method, body, plan)

    def cut_answers(self, method, body):
        answer_size = len(self.upstream.answer)
        head = self.upstream.answer.index(b"\r\n\r\n") + 4
        self.cut_everywhere(method, body, "answer", head, answer_size)

    def test_a_cut_request(self):
        for method, sizes in ((b"POST", SIZES), (b"GET", [0])):
            for size in sizes:
                whole = self.size_of_request(method, bytes(size))
                self.cut_everywhere(method, bytes(size), "request", whole - size, whole)

    def test_a_cut_answer_to_a_post(self):
        for size in SIZES:
            self.upstream.gives(b"an answer")
            self.cut_answers(b"POST", bytes(size))

    def test_a_cut_answer_to_a_get(self):
        for size in SIZES:
            for framing in ("length", "chunked"):
                self.upstream.gives(b"." * size, framing)
                self.cut_answers(b"GET", b"")

    def test_a_reset_is_not_the_end_of_an_answer_that_ends_with_its_connection(self):
        self.upstream.gives(b"." * 1000, "close")
        head = self.upstream.answer.index(b"\r\n\r\n") + 4
        for place in (head, head + 1, head + 500, head + 1000):
            with self.subTest(place=place):
                self.assertIsNone(self.check(b"GET", b"", Plan("answer", place, "reset")))

    def test_a_connection_that_has_carried_a_request_before(self):
        """So may have been closed by the API before it saw this one."""
        for method in (b"GET", b"POST"):
            for where in ("request", "answer"):
                for how in HOWS:
                    for place in range(0, len(self.upstream.answer), 7):
                        plan = Plan(where, place, how)
                        self.assertEqual(self.check(method, b"", None), 200)
                        with self.subTest(method=method, plan=str(plan)):
                            self.check(method, b"", plan)

    def test_a_post_whose_token_was_refused_before(self):
        """It is sent again, with a new token; and then cut."""
        for plan in (None, Plan("request", 40, "cut"), Plan("answer", 0, "reset"),
                     Plan("answer", 40, "cut")):
            with self.subTest(plan=str(plan)):
                self.upstream.refused = None
                self.check(b"POST", b"a body", plan)
                refused = [attempt.refused for attempt in self.upstream.ledger]
                self.assertEqual(refused, [True] * (len(refused) - 1) + [False])
                self.assertGreater(len(refused), 1)

    def test_an_undisturbed_post_takes_effect_once(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.assertEqual(self.check(b"POST", bytes(size), None), 200)
                self.assertEqual([a.took_effect for a in self.upstream.ledger], [True])


if __name__ == "__main__":
    unittest.main()
