"""The client secret and the API's token stay inside the sidecar, whatever the API sends back.

The API echoes the request's fields in the body and the fields of a 400: as they are, in base64,
percent-encoded, and cut in the middle of the token. Both are then searched for in what the client
got, in the logs, the metrics, the status page, and in what a core dump would hold.
"""

import base64
import time
import unittest
import urllib.parse

from harness import CLIENT, SECRET
from strict_upstream import StrictUpstream
from test_core_dump import basic, look
from test_serve import ServeTest, Sidecar

ENOUGH = 12  # characters that give it away


def echo(how, authorization):
    """The pieces of a 400 that tells what it got."""
    told = {"raw": authorization, "base64": base64.b64encode(authorization),
            "of the token": base64.b64encode(authorization.split()[1]),
            "percent-encoded": urllib.parse.quote(authorization, safe="").encode(),
            "each byte percent-encoded": b"".join(b"%%%02X" % c for c in authorization)}
    told["in two reads"] = told["raw"]
    body = b'{"message":"got ' + told[how] + b'","code":"bad.request","status":400}'
    head = (b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Echo: " + told[how] +
            b"\r\nDate: " + time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode() +
            b"\r\nContent-Length: %d\r\n\r\n" % len(body))
    if how != "in two reads":
        yield head + body
        return
    yield head + body[:40]
    time.sleep(0.1)  # so that it is read in two
    yield body[40:]


HOWS = ["raw", "base64", "of the token", "percent-encoded", "each byte percent-encoded",
        "in two reads"]


def forms(secret):
    """The begin and the end of a secret in every form in which it may show."""
    data = secret.encode()
    aligned = [base64.b64encode(b"x" * i + data).rstrip(b"=")[(0, 2, 3)[i]:-2] for i in range(3)]
    whole = [data, urllib.parse.quote(data, safe="").encode(), *aligned]
    each = b"".join(b"%%%02X" % c for c in data)
    return {each[:3 * ENOUGH], each[-3 * ENOUGH:],
            *(part for form in whole for part in (form[:ENOUGH], form[-ENOUGH:]))}


class Canary(ServeTest):
    def setUp(self):
        self.emulated = self.cloud()
        self.how = None
        self.upstream = StrictUpstream(self, self.answer)
        self.serving = Sidecar(self, self.emulated.login, self.upstream.url, "-v", "-v", "-v")

    def answer(self, request):
        authorization = request.all(b"Authorization")[0]
        if self.how is None:
            return [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
        return echo(self.how, authorization)

    def token(self):
        return self.upstream.seen[-1].all(b"Authorization")[0].split()[1].decode()

    def test_neither_secret_nor_token_leaves(self):
        got = []
        for how in HOWS:
            self.how = how
            answer = self.serving.request("POST", "/api/v2/x", "a body",
                                          {"Content-Type": "text/plain"})
            self.assertEqual(answer.status, 400, how)
            got.append((how, (str(answer.headers) + answer.body.decode("latin-1")).encode()))
        for page in ("/metrics", "/status.json", "/readyz", "/healthz"):
            answer = self.serving.get(page)
            got.append((page, (str(answer.headers) + answer.body.decode("latin-1")).encode()))
        wanted = {"secret": SECRET, "basic": basic(SECRET, CLIENT), "token": self.token()}
        pid = self.serving.process.pid
        self.assertEqual(look(pid, wanted), [], "in a core dump")
        self.assertIn("token", {what for what, *_ in look(pid, wanted, hidden=True)},
                      "then the look proves nothing")
        self.serving.end()
        got += [("log", self.serving.log.encode()), ("stderr", self.serving.said.encode())]
        for where, text in got:
            for what, secret in wanted.items():
                for form in forms(secret):
                    with self.subTest(where=where, what=what):
                        self.assertNotIn(form, text)


if __name__ == "__main__":
    unittest.main()
