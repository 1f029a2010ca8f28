"""Requests that another server might read differently: the sidecar refuses each, or sends on once
what it says beyond doubt.

Behind it stands a server that reads strictly and for itself. Each request is sent as the first of
a connection and behind a good one, at once and byte by byte.
"""

import socket
import unittest

from harness import HUNG_S
from strict_upstream import Malformed, StrictUpstream, Wire, read_answer
from test_serve import ServeTest, Sidecar

REFUSED, ONCE, EITHER = "refused", "once", "refused or once"
SMUGGLED = b"GET /api/v2/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"


def request(line=b"POST /api/v2/first HTTP/1.1", *fields, body=b"", host=b"Host: localhost"):
    return b"\r\n".join([line, *([host] if host else []), *fields, b"", body])


def get(target):
    return request(b"GET " + target + b" HTTP/1.1")


def with_field(*fields):
    return request(b"GET /api/v2/first HTTP/1.1", *fields)


def request_lines():
    for line in (b" GET /api/v2/first HTTP/1.1", b"GET  /api/v2/first HTTP/1.1",
                 b"GET /api/v2/first  HTTP/1.1", b"GET\t/api/v2/first HTTP/1.1",
                 b"GET /api/v2/first\tHTTP/1.1", b"GET /api/v2/first",
                 b"GET /api/v2/first HTTP/0.9",
                 b"GET /api/v2/first HTTP/2.0", b"GET /api/v2/first HTTP/3",
                 b"GET /api/v2/first HTTP/1",
                 b"GET /api/v2/first HTTP/1.1x", b"GET /api/v2/first HTTP/01.1",
                 b"GET /api/v2/first HTTP/1.01", b"GET /api/v2/first http/1.1",
                 b"GET /api/v2/first HTTP /1.1", b"GET /api/v2/first HTTP/1.1 ",
                 b"GET /api/v2/first HTTP/1,1", b"GET /api/v2/first HTTPS/1.1",
                 b"GET /api/v2/first HTTP/1.1\r", b"GET /api/v2/first\rHTTP/1.1",
                 b"GET /api/v2/first\0 HTTP/1.1", b"GET\0 /api/v2/first HTTP/1.1",
                 b"GE(T /api/v2/first HTTP/1.1", b"GET, /api/v2/first HTTP/1.1",
                 b"G\xc3\x89T /api/v2/first HTTP/1.1", b"/api/v2/first HTTP/1.1",
                 b"GET HTTP/1.1", b"GET /api/v2/first /api/v2/b HTTP/1.1",
                 b"CONNECT localhost:80 HTTP/1.1", b"CONNECT /api/v2/first HTTP/1.1",
                 b"PRI * HTTP/2.0", b"OPTIONS * HTTP/1.1"):
        yield "request line", request(line), REFUSED
    yield "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED
    yield "a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), REFUSED
    yield "a bare LF", b"GET /api/v2/first HTTP/1.1\nHost: localhost\n\n", REFUSED
    yield "one bare LF", b"GET /api/v2/first HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n", REFUSED
    yield "a bare CR", b"GET /api/v2/first HTTP/1.1\rHost: localhost\r\r", REFUSED
    yield "a bare LF at the end", b"GET /api/v2/first HTTP/1.1\r\nHost: localhost\r\n\n", REFUSED
    yield "an empty line before", b"\r\n" + get(b"/api/v2/first"), EITHER
    yield "a method in small letters", request(b"get /api/v2/first HTTP/1.1"), EITHER
    yield "TRACE", request(b"TRACE /api/v2/first HTTP/1.1"), EITHER


def targets():
    for target in (b"/api/v2/../first", b"/api/v2/first/..", b"/api/v2/./first", b"/api/v2/first/.",
                   b"/api/v2/%2e%2e/first", b"/api/v2/%2E%2E/first", b"/api/v2/.%2e/first",
                   b"/api/v2/%2e/first", b"/api/v2/first/%2e%2E", b"/api/../api/v2/first",
                   b"/../api/v2/first", b"/api/v2/..%2ffirst", b"/api/v2/..%5cfirst",
                   b"/api/v2/first#fragment", b"#", b"api/v2/first", b"*", b"",
                   b"/api/v2/first\x01", b"/api/v2/first\x7f", b"/api/v2/first\x80",
                   b"/api/v2/\xc3\xa9", b"/api/v2/fi\trst", b"/other", b"/", b"//api/v2/first",
                   b"/API/V2/first", b"/api/v1/first", b"/api/v22/first", b"/%61pi/v2/first",
                   b"//evil.example/api/v2/first", b"http:/api/v2/first",
                   b"http://evil.example/api/v2/first",
                   b"http://evil.example@localhost/api/v2/first",
                   b"https://evil.example/api/v2/first", b"file:///etc/passwd", b"localhost:80",
                   b"/emulator/state", b"/login", b"/oauth/token/../../api/v2/first"):
        yield f"target {target}", get(target), REFUSED
    for target in (b"/api/v2/first%00", b"/api/v2/first%0d%0aA:%20b", b"/api/v2/%252e%252e/first",
                   b"/api/v2//first", b"/api/v2/first;/x", b"/api/v2/..;/first", b"/api/v2/...",
                   b"/api/v2/first%", b"/api/v2/first%zz", b"/api/v2/first\\..\\x",
                   b"/api/v2/first?a=/../b", b"/api/v2/first?", b"/api/v2/first?%2e%2e",
                   b"/api/v2/first<>", b'/api/v2/first"', b"/api/v2/first|{}^`",
                   b"/api/v2/" + b"a" * 7000):
        yield f"target {target[:40]}", get(target), EITHER


def hosts():
    for host in (b"", b"Host:", b"Host: localhost\r\nHost: localhost", b"Host: a\r\nHost: b",
                 b"Host: evil.example", b"Host: evil.example:80", b"Host: localhost.evil.example",
                 b"Host: evil.example/localhost", b"Host: localhost@evil.example",
                 b"Host: evil.example#localhost", b"Host: localhost evil.example",
                 b"Host: localhost, evil.example", b"Host: localhost\tx", b"Host: 127.0.0.1.nip.io",
                 b"Host : localhost", b"Host\t: localhost", b" Host: localhost",
                 b"Host: local\0host", b"Host: http://localhost", b"Host: 169.254.169.254",
                 b"Host: 0.0.0.0", b"X: y\r\n Host: localhost", b"Host: localhost\r\nhost: evil"):
        yield f"host {host}", request(b"GET /api/v2/first HTTP/1.1", host=host), REFUSED
    for fields in ((b"Origin: http://evil.example",), (b"Origin: null",),
                   (b"Origin: http://localhost.evil.example",), (b"Sec-Fetch-Site: cross-site",),
                   (b"Sec-Fetch-Site: same-site",),
                   (b"Origin: http://evil.example", b"Sec-Fetch-Site: same-origin")):
        yield f"{fields}", with_field(*fields), REFUSED


def lengths():
    for length in (b"+5", b"-5", b"5 5", b"5,5", b"5, 5", b"0x5", b"5;", b"5.0", b"1e1", b"5\x0b",
                   b"five", b"", b"99999999999999999999999", b"18446744073709551621", b"'5'",
                   b"5\0", b"\xef\xbc\x95"):
        yield (f"length {length}",
               request(fields_of(b"Content-Length: " + length), body=b"hello" + SMUGGLED), REFUSED)
    for fields in ((b"Content-Length: 5", b"Content-Length: 5"),
                   (b"Content-Length: 5", b"Content-Length: 6"),
                   (b"Content-Length: 0", b"Content-Length: 44"),
                   (b"Content-Length : 5",), (b" Content-Length: 5",), (b"Content-Length\t: 5",),
                   (b"A: b", b" Content-Length: 5"), (b"Content-Length:", b" 5")):
        yield f"{fields}", request(fields_of(*fields), body=b"hello" + SMUGGLED), REFUSED


def fields_of(*fields):
    """The line and these fields, to stand before the Host."""
    return b"\r\n".join([b"POST /api/v2/first HTTP/1.1", *fields])


def codings():
    for coding in (b"xchunked", b"chunkedx", b"chunked, identity", b"identity", b"gzip",
                   b"gzip, chunked", b"chunked, chunked", b"chunked;q=1", b'"chunked"',
                   b"chunked,", b", chunked", b"chun ked", b"\x0bchunked", b"chunked\x0c", b"",
                   b"chunked\0", b"identity, chunked", b"cow"):
        yield (f"coding {coding}",
               request(fields_of(b"Transfer-Encoding: " + coding), body=HELLO + SMUGGLED), REFUSED)
    for fields in ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
                   (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
                   (b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
                   (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
                   (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
                   (b"Content-Length: 5", b"transfer-encoding: CHUNKED"),
                   (b"Transfer-Encoding : chunked",), (b"Transfer-Encoding\t: chunked",),
                   (b"Transfer-Encoding:", b" chunked"), (b"A: b", b" Transfer-Encoding: chunked"),
                   (b"Transfer-Encoding: chunked\r",), (b"Transfer-Encoding\0: chunked",),
                   (b"Content-Length: 5", b"Transfer-Encoding\0: chunked")):
        yield f"{fields}", request(fields_of(*fields), body=HELLO + SMUGGLED), REFUSED
    yield ("chunks in HTTP/1.0", request(b"POST /api/v2/first HTTP/1.0",
                                         b"Transfer-Encoding: chunked", body=HELLO), REFUSED)
    yield ("a coding in capitals", request(b"POST /api/v2/first HTTP/1.1",
                                           b"Transfer-Encoding: Chunked", body=HELLO), EITHER)


def chunks():
    for body in (b"0x5\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
                 b"+5\r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n",
                 b"5\nhello\n0\n\n", b"5\r\nhello\n0\r\n\r\n", b"5\rhello\r0\r\r",
                 b"5\r\nhello0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"5;\nx\r\nhello\r\n0\r\n\r\n",
                 b"5;a=\rb\r\nhello\r\n0\r\n\r\n", b"5;a=\0\r\nhello\r\n0\r\n\r\n",
                 b"\r\n5\r\nhello\r\n0\r\n\r\n", b"5 x\r\nhello\r\n0\r\n\r\n",
                 b"10000000000000005\r\nhello\r\n0\r\n\r\n",
                 b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
                 b"g\r\nhello\r\n0\r\n\r\n", b";a\r\nhello\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nno field\r\n\r\n", b"5\r\nhello\r\n0\r\nA : b\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nA: b\n\r\n", b"5\r\nhello\r\n0\r\n folded\r\n\r\n"):
        yield (f"chunks {body}", request(b"POST /api/v2/first HTTP/1.1",
                                         b"Transfer-Encoding: chunked", body=body + SMUGGLED),
               REFUSED)
    for body in (b"5;a=b\r\nhello\r\n0\r\n\r\n", b'5;a="b;c"\r\nhello\r\n0\r\n\r\n',
                 b"05\r\nhello\r\n0\r\n\r\n", b"005\r\nhello\r\n000\r\n\r\n",
                 b"5\r\nhello\r\n0;x\r\n\r\n", b"5\r\nhello\r\n0\r\nA: b\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\nHost: evil\r\n\r\n",
                 b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"):
        yield (f"chunks {body}", request(b"POST /api/v2/first HTTP/1.1",
                                         b"Transfer-Encoding: chunked", body=body), EITHER)


def fields():
    for field in (b"no colon", b": no name", b"A B: c", b"A(: b", b"A\0: b", b"A: b\0c", b"A: b\rc",
                  b"A: b\nC: d", b" A: b", b"\tA: b", b"A: b\r\n c", b"A: b\r\n\tc",
                  b"A\xc3\xa9: b",
                  b"A\t: b", b"A: \x01", b"A: \x7f", b"[A]: b", b"A=b", b'"A": b', b"A: b\x0b",
                  b"X: " + b"x" * 40_000, b"X" * 40_000 + b": x",
                  b"\r\n".join(b"A%d: b" % i for i in range(120))):
        yield f"field {field[:30]}", with_field(field), REFUSED
    yield "bytes over 127", with_field(b"A: \xff\xfe"), EITHER
    for field in (b"A:b", b"A:", b"A: b ", b"A:\t b", b"a-b_c.d!~: e"):
        yield f"field {field}", with_field(field), ONCE


def of_one_connection():
    body = (b"Content-Length: 5",)
    for fields, how in (((b"Connection: Authorization",), ONCE), ((b"Connection: Host",), EITHER),
                        ((b"Connection: Content-Length", *body), EITHER),
                        ((b"Connection: keep-alive, Content-Length", *body), EITHER),
                        ((b"Connection: Transfer-Encoding", *body), ONCE),
                        ((b"Connection: X-A", b"X-A: removed", *body), ONCE),
                        ((b"Keep-Alive: timeout=5", *body), ONCE), ((b"TE: trailers", *body), ONCE),
                        ((b"Proxy-Authorization: Basic eA==", *body), ONCE),
                        ((b"Proxy-Connection: keep-alive", *body), ONCE),
                        ((b"Connection: Upgrade", b"Upgrade: websocket", *body), EITHER),
                        ((b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                          b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", *body), ONCE),
                        ((b"Authorization: Bearer other", *body), ONCE),
                        ((b"Authorization: Basic eDp5", *body), ONCE),
                        ((b"Authorization: Bearer a", b"Authorization: Bearer b", *body), EITHER),
                        ((b"Expect: 200-ok", *body), EITHER), ((b"Upgrade: h2c", *body), ONCE),
                        ((b"X-HTTP-Method-Override: DELETE", *body), ONCE),
                        ((b"X-Original-URL: /other", *body), ONCE)):
        sent = b"hello" if body[0] in fields else b""
        yield f"{fields}", request(b"POST /api/v2/first HTTP/1.1", *fields, body=sent), how
    yield ("a body of a GET", request(b"GET /api/v2/first HTTP/1.1", *body, body=b"hello"), ONCE)
    yield ("chunks of a DELETE", request(b"DELETE /api/v2/first HTTP/1.1",
                                         b"Transfer-Encoding: chunked", body=HELLO), ONCE)
    yield ("HTTP/1.0", request(b"GET /api/v2/first HTTP/1.0"), EITHER)
    yield "HTTP/1.0 without a Host", request(b"GET /api/v2/first HTTP/1.0", host=b""), EITHER


CASES = [case for kind in (request_lines, targets, hosts, lengths, codings, chunks, fields,
                           of_one_connection) for case in kind()]
GOOD = b"GET /api/v2/good HTTP/1.1\r\nHost: localhost\r\n\r\n"
# None may get there: what concerns the client's connection, and what it shows us.
NEVER_SENT_ON = (b"Keep-Alive", b"TE", b"Proxy-Authorization", b"Proxy-Connection", b"Upgrade",
                 b"HTTP2-Settings", b"X-A", b"Trailer")


class Hostile(ServeTest):
    def setUp(self):
        self.upstream = StrictUpstream(self, lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                                                        b"Date: Mon, 30 Nov 2026 00:00:00 GMT\r\n"
                                                        b"\r\nok"])
        self.serving = Sidecar(self, self.cloud().login, self.upstream.url, "--access-log", "none")
        self.ask(GOOD, False)
        self.upstream.seen.clear()

    def ask(self, data, in_bytes):
        """The answers to what is sent on one connection, which nothing follows: their statuses.
        What is no answer fails."""
        host, port = self.serving.place.split(":")
        with socket.create_connection((host, int(port)), timeout=HUNG_S) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire = Wire(connection)
            try:
                for piece in ([data[i:i + 1] for i in range(len(data))] if in_bytes else [data]):
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before it was whole
            statuses = []
            try:
                while wire.rest or wire.more():
                    statuses.append(int(read_answer(wire, b"GET").start[0]))
            except ConnectionResetError:
                pass  # after a refusal, for what it did not read
        return statuses

    def judge(self, data, how, statuses, behind):
        """What is wrong with how the sidecar took it; empty = nothing."""
        seen = self.upstream.seen
        if behind:
            if not seen or seen[0].start[1] != b"/api/v2/good" or statuses[:1] != [200]:
                return "the good one before it was not served"
            seen, statuses = seen[1:], statuses[1:]
        if self.upstream.faults:
            return f"the upstream could not read it: {self.upstream.faults}"
        if len(seen) > 1:
            return "several came out of one"
        if not seen:
            bad = not statuses or not 400 <= statuses[0] < 600 or len(statuses) > 1
            return "not refused" if bad else "" if how != ONCE else "refused"
        if how == REFUSED:
            return "sent on"
        return self.judge_sent(data, seen[0], statuses)

    def judge_sent(self, data, sent, statuses):
        method, target = data.lstrip().split(b" ")[:2]
        if sent.start != (method, target) or statuses != [200]:
            return f"it became {sent.start}, {statuses}"
        head, _, body = data.partition(b"\r\n\r\n")
        if (b"hello" if body else b"") != sent.body:
            return f"its body became {sent.body}"
        if len(sent.all(b"Authorization")) != 1 or b"other" in sent.all(b"Authorization")[0]:
            return "Authorization is not ours"
        there = [name for name in NEVER_SENT_ON if sent.all(name)]
        return f"sent on: {there}" if there else ""

    def test_each_is_refused_or_served_once(self):
        bad = []
        for name, data, how in CASES:
            for behind in (False, True):
                for in_bytes in (False, True):
                    self.upstream.seen.clear()
                    self.upstream.faults.clear()
                    try:
                        statuses = self.ask((GOOD if behind else b"") + data,
                                            in_bytes and len(data) < 2000)
                        wrong = self.judge(data, how, statuses, behind)
                    except Malformed as why:
                        wrong = f"the answer cannot be read: {why}"
                    if wrong:
                        bad.append(f"{name} ({behind=}, {in_bytes=}): {wrong}")
        self.assertGreaterEqual(4 * len(CASES), 500)
        self.assertEqual(bad, [], "\n".join(bad))


if __name__ == "__main__":
    unittest.main()
