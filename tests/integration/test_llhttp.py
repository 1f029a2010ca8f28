"""Whatever the relay's codec takes, Node's parser llhttp takes alike: the start of a message, its
fields, its body and its end. Beast and http_parser are compared by fuzz/relay_peers.

    test_llhttp.py FOLDER...   compares what a fuzzer found: files as in fuzz/corpus/relay_peers
"""

import contextlib
import io
import json
import random
import re
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

from harness import HUNG_S, SKEWGUARD
from test_oidc import node
from test_serve_hostile import CASES

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parents[1] / "fuzz/corpus"
READ_MESSAGES = str(Path(SKEWGUARD).parent / "tests/integration/read_messages")
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
# Whatever follows such a message belongs to no other: llhttp takes it for another protocol.
LAST = re.compile(rb"(?i)\nconnection:[^\n]*\bclose\b|\nupgrade:| HTTP/1\.0\r\n")
LENGTH = re.compile(rb"(?i)\ncontent-length:")
MUTANTS = 20_000
# Bytes that mean something, and some that must not be there.
PIECES = [b"\r\n", b"\n", b"\r", b":", b" ", b"\t", b",", b";", b"0", b"5", b"a", b"chunked",
          b"close", b"Connection: ", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
          b"\0", b"Upgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"\x80", b"\xff", b"HTTP/1.0",
          b"GET "]
SEEDS = [("request", b"POST /api/v2/x?y=%20 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                     b"X: a b\r\nConnection: keep-alive, X\r\n\r\nhello"),
         ("request", b"PUT /x HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b'3;a="b";c=d\r\nabc\r\n0A\r\n0123456789\r\n0\r\nT: x\r\n\r\n'),
         ("request", b"DELETE /x HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
         ("answer", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: Mon, 30 Nov 2026 00:00:00 GMT"
                    b"\r\nConnection: keep-alive\r\n\r\nhello"),
         ("answer", b"HTTP/1.1 401 No way\r\ntransfer-encoding: Chunked\r\n\r\n5;x\r\nhello\r\n0"
                    b"\r\n\r\n"),
         ("answer", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
         ("answer", b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")]


def corpus(folder):
    """What relay_peers is given: its first byte says which kind of message follows."""
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        if data:
            yield "request" if data[0] % 2 else "answer", data[1:]


def mutants():
    dice = random.Random(15)
    for _ in range(MUTANTS):
        kind, data = dice.choice(SEEDS)
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(data) + 1)
            data = data[:at] + dice.choice([b"", *PIECES]) + data[at + dice.randint(0, 2):]
        yield kind, data


def read_by(command, messages):
    """What each line of its output says."""
    lines = "".join(f"{kind} {data.hex()}\n" for kind, data in messages)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True,
                          timeout=HUNG_S)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Readings:
    """Messages that the codec takes, and how both read them."""

    def __init__(self, messages):
        messages = sorted(set(messages))
        self.methods, = read_by([node(), str(HERE / "llhttp/read.mjs")], [])
        taken = [(message, read) for message, read
                 in zip(messages, read_by([READ_MESSAGES], messages), strict=True)
                 if read and self.comparable(*message)]
        given = [self.followed(kind, data[:read["size"]]) for (kind, data), read in taken]
        self.count = len(taken)
        self.different = [
            f"{data!r}: {ours} but {theirs}" for (kind, data), (_, ours), theirs
            in zip(given, taken, read_by([node(), str(HERE / "llhttp/read.mjs")], given)[1:],
                   strict=True)
            if not self.alike(data, ours, theirs)]

    def comparable(self, kind, data):
        """llhttp knows no methods but these, and takes no equal lengths, which harm nobody in an
        answer; before an answer it takes no empty line."""
        if kind == "answer":
            return len(LENGTH.findall(data)) < 2
        return data.lstrip(b"\r\n").split(b" ")[0].decode() in self.methods

    @staticmethod
    def followed(kind, data):
        """With another request, where one may follow: then its beginning is the end."""
        last = kind == "answer" or LAST.search(data)
        return kind, data if last else data + NEXT

    @staticmethod
    def alike(data, ours, theirs):
        followed = data.endswith(NEXT)
        if len(theirs) != 1 + followed:
            return False
        same = all(ours[part] == theirs[0][part] for part in ("start", "fields", "body"))
        return same and (not followed or bytes.fromhex(theirs[1]["start"]) == b"GET /next")


class Llhttp(unittest.TestCase):
    def compare(self, messages, at_least):
        readings = Readings(messages)
        self.assertEqual(readings.different, [], "\n".join(readings.different))
        self.assertGreaterEqual(readings.count, at_least)

    def test_reads_the_corpus_alike(self):
        both = [(kind, file.read_bytes()[1:]) for file in (CORPUS / "relay_head").iterdir()
                for kind in ("request", "answer")]
        self.compare([*corpus(CORPUS / "relay_peers"), *both], 10)

    def test_reads_hostile_requests_alike(self):
        self.compare([("request", data) for _, data, _ in CASES], 100)

    def test_reads_mutants_alike(self):
        self.compare(mutants(), 2000)

    def test_exits_with_0_only_if_all_messages_are_read_alike(self):
        for read_alike, expected in ((True, 0), (False, 1)):
            with self.subTest(read_alike), \
                    mock.patch.object(Readings, "alike", return_value=read_alike), \
                    contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(main([CORPUS / "relay_peers"]), expected)


def main(folders):
    readings = Readings([message for folder in folders for message in corpus(Path(folder))])
    print("\n".join(readings.different))
    print(f"{readings.count} messages compared, {len(readings.different)} read differently")
    return 1 if readings.different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:])) if len(sys.argv) > 1 else unittest.main()
