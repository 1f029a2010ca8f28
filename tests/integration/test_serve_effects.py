"""What a cut connection does to a request that passes through the sidecar.

The upstream ends the connection after any byte of the request or of its own answer. A POST takes
effect at most once; the client gets one complete answer; and an answer that invites it to try
again (503 with Retry-After) means that nothing was sent.
"""

import os
import socket
import unittest

from harness import HUNG_S
from strict_upstream import Wire, read_answer
from test_serve import ServeTest

LONG = bool(os.environ.get("SKEWGUARD_LONG"))
STEP = 1 if LONG else 29
MIB = 1024 * 1024
SIZES = [0, 1, MIB]
UPLOAD = "/api/v2/emulator/upload"


def places(size):
    """Bytes after which a message of so many bytes is cut."""
    head = range(0, 700, STEP)
    return sorted({*head, 1, size // 2, max(size - 1, 0), size} & {*range(0, size + 1)})


class Effects(ServeTest):
    def setUp(self):
        self.emulated = self.cloud()
        self.serving = self.sidecar(self.emulated, "--access-log", "none")
        self.serving.wait_until_ready()
        self.count = 0

    def send(self, method, body):
        """One request on a connection of its own, and the answer; nothing may follow it."""
        self.count += 1
        host, port = self.serving.place.split(":")
        with socket.create_connection((host, int(port)), timeout=HUNG_S) as connection:
            length = f"Content-Length: {len(body)}\r\n" if method == b"POST" else ""
            path = UPLOAD if method == b"POST" else "/api/v2/organizations/me"
            head = (f"{method.decode()} {path} HTTP/1.1\r\nHost: localhost\r\n"
                    f"Connection: close\r\nIdempotency-Key: {self.count}\r\n{length}\r\n")
            connection.sendall(head.encode() + body)
            wire = Wire(connection)
            answer = read_answer(wire, method)
            self.assertEqual(wire.all(), b"", "bytes behind the answer")
        return answer

    def check(self, method, body, **fault):
        before = self.emulated.stats()
        self.emulated.order("fault", host="api", times=1, **fault)
        answer = self.send(method, body)
        self.emulated.order("fault", clear=True)
        after = self.emulated.stats()
        status = int(answer.start[0])
        if status == 503 and answer.all(b"Retry-After"):
            self.assertEqual(after["requests_cut"], before["requests_cut"])
            self.assertEqual(after["api_requests"], before["api_requests"])
        if method == b"POST":
            effects = self.emulated.effects().get(str(self.count), 0)
            self.assertLessEqual(effects, 1)
            if status == 200:
                self.assertEqual(effects, 1)
        self.assertIn(status, (200, 502, 503, 504))
        return status

    def cut_everywhere(self, method, body, **fault):
        (byte, size), = fault.items()
        for wire in ("cut", "reset"):
            for place in places(size):
                with self.subTest(wire=wire, place=place):
                    self.check(method, body, wire=wire, **{byte: place})

    def test_a_cut_answer_to_a_post(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.cut_everywhere(b"POST", bytes(size), answer_byte=700)

    def test_a_cut_post(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.cut_everywhere(b"POST", bytes(size), request_byte=size + 300)

    def test_a_cut_get(self):
        self.cut_everywhere(b"GET", b"", answer_byte=700)
        self.cut_everywhere(b"GET", b"", request_byte=300)

    def test_an_undisturbed_post_takes_effect_once(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.assertEqual(int(self.send(b"POST", bytes(size)).start[0]), 200)
                self.assertEqual(self.emulated.effects()[str(self.count)], 1)

    def test_a_refused_token_is_renewed_and_the_post_takes_effect_once(self):
        self.emulated.order("revoke", all=True)
        self.assertEqual(int(self.send(b"POST", b"a body").start[0]), 200)
        self.assertEqual(self.emulated.effects()[str(self.count)], 1)


if __name__ == "__main__":
    unittest.main()
