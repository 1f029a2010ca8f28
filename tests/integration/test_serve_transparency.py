"""What passes through the sidecar arrives as it was sent: random valid requests and answers.

What differs is what must: Authorization, Host, what is said about one connection (Connection and
the fields it names, framing, Expect), Location, and the fields that the sidecar adds.

Not drawn are 401, 403 and 504, which may be about the token: other tests have them.
"""

import gzip
import random
import re
import socket
import string
import time
import unittest

from harness import HUNG_S
from strict_upstream import STATUS_LINE, StrictUpstream, Wire, read_answer, read_head
from test_serve import ServeTest, Sidecar

COUNT = 10_000
SEED = 15
METHODS = [b"GET"] * 4 + [b"POST"] * 3 + [b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS",
                                          b"PROPFIND"]
STATUSES = [200] * 8 + [201, 202, 204, 206, 304, 400, 404, 405, 409, 410, 412, 413, 415, 422, 429,
                        500, 501, 502, 503, 599]
TCHAR = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()
PATH = (string.ascii_letters + string.digits + "-_~!$&'()*+,;=:@").encode()
VISIBLE = bytes(range(0x21, 0x7F))
OPAQUE = bytes(range(0x80, 0x100))  # RFC 9110 section 5.5: obs-text
SPECIAL = re.compile(
    rb"authorization|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|"
    rb"content-length|location|date|origin|retry-after|cookie|www-authenticate|"
    rb"(proxy|sec-fetch|skewguard|x-forwarded)-.*|proxy|forwarded", re.I)
OF_ONE_CONNECTION = re.compile(
    rb"authorization|host|connection|keep-alive|transfer-encoding|content-length|location|expect|"
    rb"skewguard-.*", re.I)


class Chance(random.Random):
    def text(self, letters, most, least=0):
        return bytes(self.choices(letters, k=self.randint(least, most)))

    def name(self):
        while SPECIAL.fullmatch(name := self.text(TCHAR, 20, 1)):
            pass
        return name

    def value(self):
        letters = VISIBLE + OPAQUE if self.random() < 0.2 else VISIBLE
        words = [self.text(letters, 20, 1) for _ in range(self.randint(0, 3))]
        return self.choice([b" ", b"\t", b"  "]).join(words)

    def fields(self):
        some = [(self.name(), self.value()) for _ in range(self.randint(0, 8))]
        if some and self.random() < 0.3:  # the same name again, in other case
            some.insert(self.randrange(len(some) + 1), (some[0][0].swapcase(), self.value()))
        return some

    def segment(self):
        piece = self.text(PATH + b"...", 8)
        if self.random() < 0.3:
            piece += self.choice([b"%2F", b"%20", b"%252F", b"%C3%A9", b"%25", b"%3f"])
        return b"x" + piece if piece.startswith(b".") else piece  # no server sees a dot segment

    def target(self):
        path = b"/".join(self.segment() for _ in range(self.randint(1, 4)))
        query = b"?" + self.text(PATH + b"/?", 30) if self.random() < 0.5 else b""
        return b"/api/v2/" + path + query

    def body(self):
        """(its bytes, the field that says how they are coded)"""
        size = self.choice([0, 1, self.randint(2, 3000), self.randint(2, 3000), 100_000])
        body = self.randbytes(size)
        if self.random() < 0.2:
            return gzip.compress(body, 1), [(b"Content-Encoding", b"gzip")]
        return body, []

    def chunks(self, body):
        out = b""
        while body:
            piece, body = body[:(size := self.randint(1, 2000))], body[size:]
            extension = b";a=b" if self.random() < 0.1 else b""
            out += b"%x%s\r\n%s\r\n" % (len(piece), extension, piece)
        trailers = self.fields() if self.random() < 0.2 else []  # nobody need keep them
        return out + b"0\r\n" + joined(trailers) + b"\r\n"

    def cut(self, data):
        """In one to three pieces."""
        places = sorted(self.randrange(len(data) + 1) for _ in range(self.randint(0, 2)))
        return [data[a:b] for a, b in zip([0, *places], [*places, len(data)])]


def joined(fields):
    return b"".join(b"%s: %s\r\n" % field for field in fields)


class Exchange:
    """A request and the answer that the upstream is to give."""

    def __init__(self, chance):
        self.method, self.target = chance.choice(METHODS), chance.target()
        usual = [(b"User-Agent", b"any"), (b"Accept-Encoding", b"gzip"), (b"Accept", b"*/*")]
        self.fields = chance.fields() + chance.sample(usual, chance.randint(0, 3))
        self.body, self.expects, framing, framed = b"", False, [], b""
        if chance.random() < (0.1 if self.method in (b"GET", b"HEAD", b"OPTIONS") else 0.9):
            self.body, coded = chance.body()
            self.fields += coded
            framed, framing = self.body, [(b"Content-Length", b"%d" % len(self.body))]
            if chance.random() < 0.3:
                framed, framing = chance.chunks(self.body), [(b"Transfer-Encoding", b"chunked")]
            self.expects = bool(framed) and chance.random() < 0.1
            if self.expects:
                framing.append((b"Expect", b"100-continue"))
        fields = [(b"Host", b"localhost"), *self.fields, *framing]
        head = b"%s %s HTTP/1.1\r\n%s\r\n" % (self.method, self.target, joined(fields))
        self.request = [head, framed] if self.expects else chance.cut(head + framed)
        self.compose_answer(chance)

    def compose_answer(self, chance):
        self.status = chance.choice(STATUSES)
        self.answer_body, coded = chance.body()
        self.answer_fields = chance.fields() + coded
        bodiless = self.method == b"HEAD" or self.status in (204, 304)
        framing = chance.choice(["length", "length", "chunked", "close"])
        framed, fields = self.answer_body, list(self.answer_fields)
        if framing == "chunked":
            framed = chance.chunks(self.answer_body)
            fields.append((b"Transfer-Encoding", b"chunked"))
        elif framing == "length":
            fields.insert(0, (b"Content-Length", b"%d" % len(self.answer_body)))
        elif not bodiless:
            fields.append((b"Connection", b"close"))
        if self.status == 204:  # RFC 9112 section 6.1 and RFC 9110 section 8.6: no framing
            framing, fields = "length", list(self.answer_fields)
        fields.append((b"Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode()))
        head = b"HTTP/1.1 %d Reason\r\n%s\r\n" % (self.status, joined(fields))
        self.answer = chance.cut(head + (b"" if bodiless else framed))
        if framing == "close" and not bodiless:
            self.answer.append(None)
        for _ in range(chance.choice([0] * 9 + [1, 3])):
            self.answer.insert(0, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        if bodiless:
            self.answer_body = b""


def end_to_end(fields):
    return [field for field in fields if not OF_ONE_CONNECTION.fullmatch(field[0])]


class Transparency(ServeTest):
    def setUp(self):
        self.exchange = self.client = None
        self.upstream = StrictUpstream(self, lambda request: self.exchange.answer)
        self.serving = Sidecar(self, self.cloud().login, self.upstream.url, "--access-log", "none")

    def send(self, exchange):
        """The answer through the sidecar; as SDKs do, over one connection as long as it lasts."""
        if self.client is None:
            host, port = self.serving.place.split(":")
            self.client = Wire(socket.create_connection((host, int(port)), timeout=HUNG_S))
            self.client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.addCleanup(self.client.connection.close)
        for nth, piece in enumerate(exchange.request):
            if nth == 1 and exchange.expects:
                self.assertEqual(read_head(self.client, STATUS_LINE).start[0], b"100")
            self.client.connection.sendall(piece)
        answer = read_answer(self.client, exchange.method)
        if b"close" in b",".join(answer.all(b"Connection")).lower():
            self.client.connection.close()
            self.client = None
        return answer

    def test_requests_and_answers_arrive_as_they_were_sent(self):
        chance = Chance(SEED)
        for n in range(COUNT):
            self.exchange = exchange = Exchange(chance)
            self.upstream.seen.clear()
            answer = self.send(exchange)
            with self.subTest(n=n, request=exchange.request, answer=exchange.answer):
                self.assertEqual(self.upstream.faults, [])
                self.assertEqual(len(self.upstream.seen), 1)
                seen = self.upstream.seen[0]
                self.assertEqual(seen.start, (exchange.method, exchange.target))
                self.assertEqual(end_to_end(seen.fields), exchange.fields)
                self.assertEqual(seen.body, exchange.body)
                self.assertEqual(len(seen.all(b"Authorization")), 1)
                self.assertEqual(answer.start[0], b"%d" % exchange.status)
                fields = [field for field in end_to_end(answer.fields) if field[0] != b"Date"]
                self.assertEqual(fields, exchange.answer_fields)
                self.assertEqual(answer.body, exchange.answer_body)


if __name__ == "__main__":
    unittest.main()
