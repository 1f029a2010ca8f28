"""The client secret and the API's token stay inside the sidecar, whatever the API sends back.

The API echoes the request's fields in the fields and the body of an error: as they are, in base64,
percent-encoded, and cut in the middle of the token. Both are then searched for in what the client
got, in the logs, in the sidecar's own pages, and in what a core dump would hold. In the body of any
other answer the token would pass, as the guide says; in its fields it does not.
"""

import base64
import http.client
import threading
import time
import unittest
import urllib.parse

from harness import CLIENT, HUNG_S, SECRET
from strict_upstream import StrictUpstream
from test_core_dump import basic, look
from test_serve import ServeTest, Sidecar

ENOUGH = 12  # characters that give it away


def echo(how, authorization, status=400, room=0):
    """The pieces of an answer that tells what it got, at the end of a body of `room` bytes more."""
    told = {"raw": authorization, "base64": base64.b64encode(authorization),
            "of the token": base64.b64encode(authorization.split()[1]),
            "percent-encoded": urllib.parse.quote(authorization, safe="").encode(),
            "each byte percent-encoded": b"".join(b"%%%02X" % c for c in authorization)}
    words = told.get(how, authorization)
    body = b'{"status":%d,"message":"%s got ' % (status, b"." * room) + words + b'"}'
    head = (b"HTTP/1.1 %d Any\r\nContent-Type: application/json\r\nX-Echo: " % status + words +
            b"\r\nDate: " + time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode() +
            b"\r\nContent-Length: %d\r\n\r\n" % len(body))
    if not how.startswith("in two reads"):
        yield head + body
        return
    whole = head + body  # cut in the middle of the token, in the field or in the body
    half = len(authorization) // 2
    place = head.index(words) + half if how.endswith("of the field") else len(whole) - half
    yield whole[:place]
    time.sleep(0.1)  # so that it is read in two
    yield whole[place:]


HOWS = ["raw", "base64", "of the token", "percent-encoded", "each byte percent-encoded",
        "in two reads of the field", "in two reads of the body"]


def forms(secret):
    """The begin and the end of a secret in every form in which it may show."""
    data = secret.encode()
    aligned = [base64.b64encode(b"x" * i + data).rstrip(b"=")[(0, 2, 3)[i]:-2] for i in range(3)]
    whole = [data, urllib.parse.quote(data, safe="").encode(), *aligned]
    each = b"".join(b"%%%02X" % c for c in data)
    return {each[:3 * ENOUGH], each[-3 * ENOUGH:],
            *(part for form in whole for part in (form[:ENOUGH], form[-ENOUGH:]))}


def text_of(answer):
    return (str(answer.headers) + answer.body.decode("latin-1")).encode()


class Canary(ServeTest):
    def setUp(self):
        self.emulated = self.cloud()
        self.how = self.late = None
        self.upstream = StrictUpstream(self, self.answer)
        self.serving = Sidecar(self, self.emulated.login, self.upstream.url, "-v", "-v", "-v")

    def answer(self, request):
        authorization = request.all(b"Authorization")[0]
        if self.how is None:
            return [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
        return self.held_back(echo(*self.how[:1], authorization, *self.how[1:]))

    def held_back(self, pieces):
        """The answer; where there is `late`, its last 5 bytes come once that is set."""
        if self.late is None:
            yield from pieces
            return
        whole = b"".join(pieces)
        yield whole[:-5]
        self.late.wait(HUNG_S)
        yield whole[-5:]

    def send(self, *how):
        self.how = how
        return self.serving.request("POST", "/api/v2/x", "a body", {"Content-Type": "text/plain"})

    def secrets(self):
        token = self.upstream.seen[-1].all(b"Authorization")[0].split()[1].decode()
        return {"secret": SECRET, "basic": basic(SECRET, CLIENT), "token": token}

    def assert_absent(self, texts):
        for where, text in texts:
            for what, secret in self.secrets().items():
                for form in forms(secret):
                    with self.subTest(where=where, what=what):
                        self.assertNotIn(form, text)

    def assert_not_in_a_core_dump(self):
        pid = self.serving.process.pid
        self.assertEqual(look(pid, self.secrets()), [])
        inside = {what for what, *_ in look(pid, self.secrets(), hidden=True)}
        self.assertLessEqual({"secret", "token"}, inside, "then the look proves nothing")

    def test_neither_secret_nor_token_leaves(self):
        got = []
        for status, room in ((400, 0), (500, 0), (403, 0), (400, 60_000)):
            for how in HOWS:
                answer = self.send(how, status, room)
                self.assertEqual(answer.status, status, how)
                got.append(((how, status, room), text_of(answer)))
        got += [(page, text_of(self.serving.get(page)))
                for page in ("/metrics", "/status.json", "/readyz", "/healthz")]
        self.assert_not_in_a_core_dump()
        self.serving.end()
        got += [("log", self.serving.log.encode()), ("stderr", self.serving.said.encode())]
        self.assert_absent(got)

    def test_the_fields_of_any_answer_do_not_repeat_it(self):
        for how in HOWS:
            for status, room in ((200, 0), (200, 1_000_000), (302, 0)):
                self.how = (how, status, room)
                connection = http.client.HTTPConnection(self.serving.place, timeout=HUNG_S)
                connection.request("GET", "/api/v2/x")
                got = connection.getresponse()
                self.assertEqual((got.status, len(got.read()) > room), (status, True))
                connection.close()
                self.assert_absent([(self.how, str(got.headers).encode())])

    def test_no_core_dump_holds_it_while_an_answer_is_under_way(self):
        """Its client has got the head and most of the body, and waits."""
        for status, room in ((400, 0), (400, 60_000), (200, 100_000)):
            self.late = threading.Event()
            self.addCleanup(self.late.set)
            before = len(self.upstream.seen)
            self.how = ("raw", status, room)
            connection = http.client.HTTPConnection(self.serving.place, timeout=HUNG_S)
            self.addCleanup(connection.close)
            connection.request("GET", "/api/v2/x")
            if status == 200:
                connection.getresponse().read(room)
            while len(self.upstream.seen) == before:
                time.sleep(0.01)
            self.assert_not_in_a_core_dump()
            self.late.set()


if __name__ == "__main__":
    unittest.main()
