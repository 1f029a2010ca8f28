"""More than 500 requests that another server might read differently: the sidecar refuses each, or
sends on once what it says beyond doubt.

Behind it stands a server that reads strictly and for itself. Each request is sent as the first of
a connection and behind a good one, at once and byte by byte.
"""

import re
import socket
import unittest

from harness import HUNG_S
from strict_upstream import Malformed, StrictUpstream, Wire, read_answer
from test_serve import ServeTest, Sidecar

REFUSED, ONCE, EITHER = "refused", "once", "refused or once"
# Served once, and what follows refused; refused, or the connection ends without an answer.
AND_NO_MORE, UNFINISHED = "once, then refused", "not sent on"
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


# Which no name, method or number contains.
SEPARATORS = [bytes([c]) for c in b'"(),/:;<=>?@[\\]{}']
CONTROLS = [bytes([c]) for c in (*range(9), 11, 12, *range(14, 32), 127)]  # not TAB, LF and CR
OUTSIDE = [b"\x80", b"\x85", b"\xa0", b"\xc3\xa9", b"\xff"]  # of ASCII


def characters():
    """Each character that must not be there, in each place."""
    for c in SEPARATORS + CONTROLS[::5] + OUTSIDE:
        yield f"method with {c}", request(b"GE" + c + b"T /api/v2/first HTTP/1.1"), REFUSED
        if c != b":":
            yield f"name with {c}", with_field(b"A" + c + b"B: c"), REFUSED
    for c in CONTROLS + OUTSIDE:
        yield f"target with {c}", get(b"/api/v2/fi" + c + b"rst"), REFUSED
        how = EITHER if c in OUTSIDE else REFUSED
        yield f"value with {c}", with_field(b"A: b" + c + b"d"), how
    for c in SEPARATORS + CONTROLS[::6] + OUTSIDE:
        if c != b":":
            yield f"host with {c}", get_from(b"local" + c + b"host"), REFUSED
        yield f"version with {c}", request(b"GET /api/v2/first HTTP/1.1" + c), REFUSED
        yield f"length with {c}", chunked_or_sized(b"Content-Length: 5" + c), REFUSED
        yield f"coding with {c}", chunked_or_sized(b"Transfer-Encoding: chunked" + c), REFUSED
        if c != b";":
            yield (f"size of a chunk with {c}",
                   chunks_of(b"5" + c + b"\r\nhello\r\n0\r\n\r\n"), REFUSED)


def get_from(host):
    return request(b"GET /api/v2/first HTTP/1.1", host=b"Host: " + host)


def chunked_or_sized(field):
    return request(fields_of(field), body=(HELLO if b"Tr" in field else b"hello") + SMUGGLED)


def chunks_of(body):
    return request(b"POST /api/v2/first HTTP/1.1", b"Transfer-Encoding: chunked",
                   body=body + SMUGGLED)


def disguised_framing():
    """What some servers take for the field that frames the body."""
    for name, value, body in ((b"Content-Length", b"5", b"hello"),
                              (b"Transfer-Encoding", b"chunked", HELLO)):
        a, b = name.split(b"-")
        for odd in (a + b"_" + b, name.lower().replace(b"-", b"_"), b"\0" + name, b"\x01" + name,
                    name + b"\0", name + b"\x01", b"\r" + name, name + b"\r", a + b" " + b,
                    a + b"\t" + b, a + b"\xe2\x80\x90" + b, a + b"\xc2\xad" + b, b"\xa0" + name,
                    name + b"\xa0", b"\xef\xbb\xbf" + name, b"(" + name, b'"' + name + b'"',
                    name + b"\n", name + b":\n", b"A: b\n" + name, b"A: b\r" + name,
                    b"\x0b" + name, name + b"\x0c"):
            yield f"{odd}", chunked_or_sized_by(odd, value, body), REFUSED
        for odd in (a + b"--" + b, a + b"." + b, a + b, name + b"s", b"X-" + name, name[:-1],
                    a + b"-" + a + b"-" + b):
            yield f"{odd}", chunked_or_sized_by(odd, value, b"?" + body), AND_NO_MORE
    for name in (b"Trans\xc4\xb1fer-Encoding", b"Transfer-Enc\xc3\xb6ding"):
        yield f"{name}", chunked_or_sized_by(name, b"chunked", HELLO), REFUSED


def chunked_or_sized_by(name, value, body):
    return request(fields_of(name + b": " + value), body=body + SMUGGLED)


def odd_values():
    for value in (b"05", b"0005", b"\t5", b"  5", b"5 ", b"5\t", b"000000000005"):
        yield (f"length {value}", request(fields_of(b"Content-Length:" + value), body=b"hello"),
               EITHER)
    for value in (b"1000,1000", b"1000.1000", b"5_0", b"-0", b"+0", b"0o5", b"05x", b"5, 5, 5",
                  b"5,", b",5", b"1 0", b"$5", b"5#", b"5\t5", b"\xd9\xa5", b"4294967301x",
                  b"18446744073709551615", b"9223372036854775808", b"1" * 400):
        yield f"length {value[:30]}", chunked_or_sized(b"Content-Length: " + value), REFUSED
    for value in (b" chunked", b"\tchunked", b"chunked ", b"chunked\t", b"cHuNkEd"):
        yield (f"coding {value}", request(fields_of(b"Transfer-Encoding:" + value), body=HELLO),
               EITHER)
    for value in (b"chunk", b"chunkedd", b"chunked identity", b"chunked; a=b", b"chunked;",
                  b"compress, chunked", b"deflate", b"chunked, cow", b"chunked, chunked, chunked",
                  b"'chunked'", b"\\chunked", b"chunked/1.0", b"chunked\tx", b"trailers, chunked",
                  b"identity, identity", b"null", b"0", b"gzip;q=0, chunked"):
        yield f"coding {value}", chunked_or_sized(b"Transfer-Encoding: " + value), REFUSED
    for value in (b"100-continue", b"100-Continue", b"100-continue, 100-continue", b"x", b""):
        yield (f"expects {value}", request(fields_of(b"Expect: " + value, b"Content-Length: 5"),
                                           body=b"hello"), EITHER)
    for value in (b"a@localhost", b"localhost/", b"localhost?", b"localhost:", b"localhost:x",
                  b"localhost:80:80", b"localhost:-1", b"localhost:99999999", b"[::1", b"::1]",
                  b"[::1]x", b"[localhost]", b"127.0.0.1.", b"0x7f.1", b"2130706433", b"127.1",
                  b"%6cocalhost", b"localhost,localhost", b"localhost localhost", b"*", b".",
                  b"xn--localhost", b"localhost.localdomain"):
        how = EITHER if value in (b"localhost:", b"localhost:99999999") else REFUSED
        yield f"host {value}", get_from(value), how
    for version in (b"HTTP/1.2", b"HTTP/1.9", b"HTTP/1.10", b"HTTP/11", b"HTTP/1.", b"HTTP/.1",
                    b"HTTP/-1.1", b"HTTP/+1.1", b"HTTP/1.-1", b"HTTP/ 1.1", b"HTTP/1 .1",
                    b"HTTP/0.0", b"HTTP/1.1.1", b"HTTP\\1.1", b"HTTPP/1.1", b"HTP/1.1", b"1.1",
                    b"FTP/1.1", b"HTTP/\xef\xbc\x91.1", b"ICY/1.1"):
        yield f"version {version}", request(b"GET /api/v2/first " + version), REFUSED


def more_chunks():
    for body in (b"1_0\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
                 b"5\t\r\nhello\r\n0\r\n\r\n", b"5;\r\nhello\r\n0\r\n\r\n",
                 b"5;;a\r\nhello\r\n0\r\n\r\n", b"5;a=\r\nhello\r\n0\r\n\r\n",
                 b"5;=b\r\nhello\r\n0\r\n\r\n", b"5;a b\r\nhello\r\n0\r\n\r\n",
                 b'5;a="b\r\nhello\r\n0\r\n\r\n', b'5;a="b"c\r\nhello\r\n0\r\n\r\n',
                 b'5;a="b\\"\r\nhello\r\n0\r\n\r\n', b"5;a=b=c\r\nhello\r\n0\r\n\r\n",
                 b"5;[a]\r\nhello\r\n0\r\n\r\n", b"5;a\n\r\nhello\r\n0\r\n\r\n",
                 b"5\r\nhello!!\r\n0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n",
                 b"5\r\nhello\r\r\n0\r\n\r\n", b"5\r\nhello\n\r\n0\r\n\r\n",
                 b"5\r\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n-0\r\n\r\n",
                 b"5\r\nhello\r\n+0\r\n\r\n", b"5\r\nhello\r\n0x0\r\n\r\n",
                 b"5\r\nhello\r\n0\n\n", b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n0\r\r\n",
                 b"5\r\nhello\r\n0\r\n\r\r\n", b"5\r\nhello\r\n0 \r\n\r\n",
                 b"5h\r\nhello\r\n0\r\n\r\n", b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nA\0: b\r\n\r\n", b"5\r\nhello\r\n0\r\nA: \0\r\n\r\n",
                 b"5\r\nhello\r\n0\r\n: b\r\n\r\n", b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nA: b\rC: d\r\n\r\n",
                 b"5;" + b"a" * 70_000 + b"\r\nhello\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n0\r\n" + b"A: b\r\n" * 12_000 + b"\r\n",
                 b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n", b"1" + b"0" * 15 + b"5\r\nhello"):
        yield f"chunks {body[:40]}", chunks_of(body), REFUSED
    for body in (b"5;a\r\nhello\r\n0\r\n\r\n", b"5;a;b=c;d\r\nhello\r\n0\r\n\r\n",
                 b'5;a="\\"\\\\"\r\nhello\r\n0\r\n\r\n', b"5\r\nhello\r\n0;a=b\r\n\r\n",
                 b"1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n00000000\r\n\r\n", b"5\r\nhello\r\n0\r\nA:\r\nB: c\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nConnection: close\r\nHost: b\r\nTE: gzip\r\n\r\n"):
        yield (f"chunks {body}", request(b"POST /api/v2/first HTTP/1.1",
                                         b"Transfer-Encoding: chunked", body=body), EITHER)


def what_follows():
    """A request whose end is beyond doubt, and bytes behind it that are none."""
    sized = request(fields_of(b"Content-Length: 5"), body=b"hello")
    chunked = request(b"POST /api/v2/first HTTP/1.1", b"Transfer-Encoding: chunked", body=HELLO)
    for rest in (b"\r\n\r\n" + SMUGGLED, b" " + SMUGGLED, b"\0" + SMUGGLED, b"\n" + SMUGGLED,
                 b"\r\r\n" + SMUGGLED, b"0\r\n\r\n" + SMUGGLED, b"}" + SMUGGLED,
                 b"=1&b=2 " + SMUGGLED, b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x01" + bytes(60)):
        for first in (with_field(), sized, chunked):
            yield f"{first[-20:]}, then {rest[:20]}", first + rest, AND_NO_MORE
    for method in (b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"TRACE"):
        yield (f"{method} with a body and then something",
               request(method + b" /api/v2/first HTTP/1.1", b"Content-Length: 5",
                       body=b"hello}" + SMUGGLED), AND_NO_MORE)


def unfinished():
    for data in (b"", b"\r\n", b"G", b"GET", b"GET ", b"GET /api/v2/first",
                 b"GET /api/v2/first HTTP/1.1", b"GET /api/v2/first HTTP/1.1\r",
                 b"GET /api/v2/first HTTP/1.1\r\n", b"GET /api/v2/first HTTP/1.1\r\nHost",
                 b"GET /api/v2/first HTTP/1.1\r\nHost: localhost",
                 b"GET /api/v2/first HTTP/1.1\r\nHost: localhost\r\n",
                 b"GET /api/v2/first HTTP/1.1\r\nHost: localhost\r\n\r",
                 request(fields_of(b"Content-Length: 5")),
                 request(fields_of(b"Content-Length: 5"), body=b"hell"),
                 request(fields_of(b"Content-Length: 999999999"), body=b"hello"),
                 chunked_head(b""), chunked_head(b"5"), chunked_head(b"5\r\nhell"),
                 chunked_head(b"5\r\nhello\r\n"), chunked_head(b"5\r\nhello\r\n0\r\n"),
                 chunked_head(b"5\r\nhello\r\n0\r\nA: b\r\n"),
                 b"\r\n" * 3, b" ", b"\0", b"?" * 10, bytes(range(256)), b"\xff" * 4000):
        yield f"no more than {data[-30:]}", data, UNFINISHED


def chunked_head(body):
    return request(b"POST /api/v2/first HTTP/1.1", b"Transfer-Encoding: chunked", body=body)


def large():
    for size in (33_000, 100_000):
        much = b"a" * size
        yield f"a target of {size}", get(b"/api/v2/" + much), REFUSED
        yield f"a query of {size}", get(b"/api/v2/first?" + much), REFUSED
        yield f"a method of {size}", request(much + b" /api/v2/first HTTP/1.1"), REFUSED
        yield f"a version of {size}", request(b"GET /api/v2/first HTTP/1." + much), REFUSED
        yield f"a host of {size}", get_from(much), REFUSED
        yield f"a cookie of {size}", with_field(b"Cookie: a=" + much), REFUSED
        yield f"options of {size}", with_field(b"Connection: " + b"a, " * (size // 3)), REFUSED
    yield "a field 10,000 times", with_field(*[b"A: b"] * 10_000), REFUSED
    yield "ranges", with_field(b"Range: bytes=" + b",".join(b"0-%d" % n for n in range(1000))), ONCE


CASES = [case for kind in (request_lines, targets, hosts, lengths, codings, chunks, fields,
                           of_one_connection, characters, disguised_framing, odd_values,
                           more_chunks, what_follows, unfinished, large) for case in kind()]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Mon, 30 Nov 2026 00:00:00 GMT\r\n\r\n"
GOOD = b"GET /api/v2/good HTTP/1.1\r\nHost: localhost\r\n\r\n"
# None may get there: what concerns the client's connection, and what it shows us.
NEVER_SENT_ON = (b"Keep-Alive", b"TE", b"Proxy-Authorization", b"Proxy-Connection", b"Upgrade",
                 b"HTTP2-Settings", b"X-A", b"Trailer")


CUT = re.compile("are missing|in the middle of a line")
FRAMED = re.compile(rb"(?i)\n(?:Content-Length|Transfer-Encoding):")


class Hostile(ServeTest):
    def setUp(self):
        self.upstream = StrictUpstream(
            self, lambda got: [OK if got.start[0] == b"HEAD" else OK + b"ok"])
        self.serving = Sidecar(self, self.cloud().login, self.upstream.url, "--access-log", "none")
        self.ask(GOOD, False)
        self.upstream.seen.clear()

    def ask(self, data, in_bytes, methods=()):
        """The answers to what is sent on one connection, which nothing follows: their statuses.
        What is no answer to these methods, then to GET, fails."""
        methods = iter(methods)
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
                    statuses.append(int(read_answer(wire, next(methods, b"GET")).start[0]))
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
        # A message that is cut, by the end of its connection, means nothing.
        if faults := [what for what in self.upstream.faults if not CUT.search(what)]:
            return f"the upstream could not read it: {faults}"
        if len(seen) > 1:
            return "several came out of one"
        refusals = statuses[1:] if how == AND_NO_MORE else statuses
        refused = len(refusals) == 1 and 400 <= refusals[0] < 600
        if how in (UNFINISHED, AND_NO_MORE) and refusals and not refused:
            return f"{statuses} to something unfinished"
        if how == UNFINISHED:
            return "sent on" if seen else ""
        if not seen:
            return "" if refused and how in (REFUSED, EITHER) else f"not sent on, {statuses}"
        if how == REFUSED:
            return "sent on"
        return self.judge_sent(data, seen[0], statuses[:1] if how == AND_NO_MORE else statuses)

    def judge_sent(self, data, sent, statuses):
        method, target = data.lstrip().split(b" ")[:2]
        if sent.start != (method, target) or statuses != [200]:
            return f"it became {sent.start}, {statuses}"
        head, _, body = data.partition(b"\r\n\r\n")
        if (b"hello" if body and FRAMED.search(head) else b"") != sent.body:
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
                                            in_bytes and len(data) < 2000,
                                            [b"GET"] * behind + data.split(b" ")[:1])
                        wrong = self.judge(data, how, statuses, behind)
                    except Malformed as why:
                        wrong = f"the answer cannot be read: {why}"
                    if wrong:
                        bad.append(f"{name} ({behind=}, {in_bytes=}): {wrong}")
        self.assertGreaterEqual(len({data for _, data, _ in CASES}), 500)
        self.assertEqual(bad, [], "\n".join(bad))

    def test_connection_takes_nothing_away_that_the_message_needs(self):
        named = [b"Content-Type", b"Content-Encoding", b"Cookie", b"Date", b"Content-Length"]
        fields = [name + b": 5" for name in named]
        for value in [*named, b", ".join(named), b"close, " + named[0]]:
            with self.subTest(value=value):
                self.upstream.seen.clear()
                self.assertEqual(self.ask(request(fields_of(b"Connection: " + value, *fields),
                                                  body=b"hello"), False), [200])
                [sent] = self.upstream.seen
                self.assertEqual([sent.all(name) for name in named], [[b"5"]] * len(named))
                self.assertEqual(sent.body, b"hello")


if __name__ == "__main__":
    unittest.main()
