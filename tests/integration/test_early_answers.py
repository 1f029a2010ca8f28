"""Servers that answer before they have read the whole request: `call` shows what they say."""

import socket
import threading
import unittest
from pathlib import Path

from harness import HUNG_S, EndToEnd, RawServer, answer, read_head

TOKEN = b'{"access_token":"tok-%d","token_type":"bearer","expires_in":300}'
READ = 64 * 1024  # bytes of the upload that the server reads
UPLOAD = 16 * 1024 * 1024  # more than the kernel holds for it
TOO_LARGE = answer(413, b'{"message":"Request Entity Too Large","code":"request.too.large"}')


class EarlyAnswers(EndToEnd):
    def setUp(self):
        self.tokens = 0
        self.login = RawServer(self, self.issue)
        self.file = Path(self.scratch.name) / "upload"
        self.file.write_bytes(b"x" * UPLOAD)
        self.ended = threading.Event()  # the program

    def issue(self, *_):
        self.tokens += 1
        return answer(200, TOKEN % self.tokens, "Content-Type: application/json")

    def upload(self, *plays):
        """To an API host that plays these, one a connection: `play(connection, stream)`, which
        closes where it ends. The stream begins with the body of a request."""
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            for play in plays:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as stream:
                    read_head(stream)
                    play(connection, stream)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        api = f"http://127.0.0.1:{listener.getsockname()[1]}"
        run = self.run_with(self.login.url, api, "call", "POST", "/api/v2/uploads", "-d",
                            f"@{self.file}", judged=False)
        self.ended.set()
        thread.join(HUNG_S)
        listener.close()
        return run

    def assert_refused(self, run):
        self.assertIn("request.too.large", run.out, run.err)
        self.assertEqual(run.report["http_status"], 413, run.report_text)
        self.assertEqual(self.tokens, 1)

    def test_the_server_keeps_the_connection_and_reads_no_more(self):
        def play(connection, stream):
            stream.read(READ)
            connection.sendall(TOO_LARGE)
            self.ended.wait(HUNG_S)
        self.assert_refused(self.upload(play))

    def test_the_server_says_no_more_and_reads_the_rest(self):
        def play(connection, stream):
            stream.read(READ)
            connection.sendall(TOO_LARGE)
            connection.shutdown(socket.SHUT_WR)
            stream.read()
        self.assert_refused(self.upload(play))

    def test_the_server_resets_the_connection(self):
        def play(connection, stream):
            stream.read(READ)
            connection.sendall(TOO_LARGE)  # closed with bytes unread, the kernel sends a reset
        self.assert_refused(self.upload(play))

    def test_a_token_refused_in_the_middle_of_an_upload_is_cured(self):
        def refuse(connection, stream):
            stream.read(READ)
            connection.sendall(answer(401, b'{"message":"Invalid login","code":"bad.credentials"}'))

        def take(connection, stream):
            taken.append(len(stream.read(UPLOAD)))
            connection.sendall(answer(200, b"taken"))

        taken = []
        run = self.upload(refuse, take)
        self.assertEqual((run.code, run.out), (0, "taken"), run.err)
        self.assertEqual(taken, [UPLOAD])
        self.assertTrue(run.report["mitigated"], run.report_text)


if __name__ == "__main__":
    unittest.main()
