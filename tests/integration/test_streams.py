"""The emulator's uploads and downloads: any size passes through a constant amount of memory."""

import hashlib
import http.client
import re
import unittest
import urllib.parse
from pathlib import Path

from harness import EndToEnd, HUNG_S

MIB = 1024 * 1024
PIECE = b"0123456789abcdef" * 4096


def peak_of(process):
    """The most memory that was resident at once, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


class Streams(EndToEnd):
    def setUp(self):
        self.cloud = self.emulator()
        self.connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(self.cloud.api).netloc, timeout=HUNG_S)
        self.addCleanup(self.connection.close)
        self.fields = {"Authorization": f"Bearer {self.cloud.new_token()}"}
        self.ask("GET", "/api/v2/tokens/me").read()
        self.peak = peak_of(self.cloud.process)

    def ask(self, method, path, body=None, **fields):
        self.connection.request(method, path, body, {**self.fields, **fields})
        answer = self.connection.getresponse()
        self.assertEqual(answer.status, 200)
        return answer

    def assert_memory_is_constant(self):
        self.assertLess(peak_of(self.cloud.process), self.peak + 4 * MIB)

    def test_an_upload_of_1_gib_is_digested_without_being_held(self):
        size = 1024 * MIB
        digest = hashlib.sha256()

        def pieces():
            for _ in range(size // len(PIECE)):
                digest.update(PIECE)
                yield PIECE

        answer = self.ask("POST", "/api/v2/emulator/upload", pieces(),
                          **{"Content-Length": str(size)}).read()
        self.assertIn(f'"bytes":{size}'.encode(), answer)
        self.assertIn(digest.hexdigest().encode(), answer)
        self.assert_memory_is_constant()

    def test_a_download_of_2_gib_is_generated_while_it_is_sent(self):
        size = 2048 * MIB
        answer = self.ask("GET", f"/api/v2/emulator/download?bytes={size}&framing=chunked")
        seen = 0
        while piece := answer.read(MIB):
            self.assertEqual(piece[:16], b"%016x" % (seen // 4096))
            seen += len(piece)
        self.assertEqual(seen, size)
        self.assert_memory_is_constant()


if __name__ == "__main__":
    unittest.main()
