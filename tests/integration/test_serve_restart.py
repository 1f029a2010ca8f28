"""The sidecar ends, starts again and reads its secrets again while programs use it."""

import http.client
import signal
import socket
import threading
import time
import unittest
from pathlib import Path

from harness import HUNG_S, SECRET, RawServer, answer
from test_serve import LOCAL_SECRET, ServeTest, Sidecar
from test_serve_operate import until
from test_serve_sdk import Program

GET = b"GET /api/v2/organizations/me HTTP/1.1\r\nHost: localhost\r\n\r\n"
PATH, UPLOAD = "/api/v2/organizations/me", "/api/v2/emulator/upload"


class Load:
    """Clients that call all the time, each over a connection that it keeps as long as it lasts,
    until nobody listens any more or stop(). `served`: the keys of the requests."""

    CLIENTS = 8

    def __init__(self, serving):
        self.place = serving.place
        self.lock, self.end = threading.Lock(), threading.Event()
        self.served, self.failures = set(), []
        self.ending = False  # so a new connection may be accepted by nobody
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(self.CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, client):
        connection, count = http.client.HTTPConnection(self.place, timeout=HUNG_S), 0
        while not self.end.is_set():
            fresh = connection.sock is None
            try:
                if fresh:
                    connection.connect()
            except OSError as why:
                return None if self.ending else self.note(None, why)
            count += 1
            try:
                key = f"{client}-{count}"
                connection.request("POST", UPLOAD, b"a body", {"Idempotency-Key": key})
                got = connection.getresponse()
                got.read()
                self.note(key, None if got.status == 200 else got.status)
            except (OSError, http.client.HTTPException) as why:
                connection.close()
                if not (fresh and self.ending and isinstance(why, OSError)):
                    self.note(key, why)
        return connection.close()

    def note(self, key, failure):
        with self.lock:
            if failure is None:
                self.served.add(key)
            else:
                self.failures.append((key, repr(failure)))

    def wait_for(self, more):
        """Until so many more calls have been served."""
        deadline = time.monotonic() + HUNG_S
        wanted = len(self.served) + more
        while len(self.served) < wanted and not self.failures and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self):
        self.end.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join(HUNG_S)


class Restarts(ServeTest):
    def setUp(self):
        self.local = Path(self.scratch.name) / "local"
        self.local.write_text(LOCAL_SECRET, encoding="utf-8")
        self.emulated = self.cloud()

    def serve(self, place):
        return self.sidecar(self.emulated, "--local-secret-file", str(self.local), listen=(place,))

    def test_a_running_sdk_goes_on_behind_a_sidecar_that_was_killed(self):
        """Its handle is the new one's too."""
        first = self.serve("127.0.0.1:0")
        program = Program(first.url, first.url, LOCAL_SECRET, seconds=8, every_ms=100)
        program.wait_until_logged_in()
        while not any(sent["path"] == PATH for sent in self.emulated.api_sends()):
            time.sleep(0.02)
        first.end(signal.SIGKILL)
        again = self.serve(first.place)
        since = time.time() * 1000
        done = program.ended()
        self.assertEqual(done["calls"], 4 * 80)
        self.assertEqual([e for e in done["errors"] if e["at_ms"] > since], [])
        again.end()
        self.assertEqual(again.log.count("/oauth/token"), 0, "it logged in again")
        self.assertGreater(again.log.count(f" {PATH} 200 "), 0)
        self.assertEqual(first.log.count("/oauth/token"), 1)


class Downloads:
    """Clients that read without a pause what never ends."""

    CLIENTS = 4

    def __init__(self, serving):
        request = (b"GET /api/v2/emulator/download?bytes=1000000000000000 HTTP/1.1\r\n"
                   b"Host: localhost\r\n\r\n")
        self.begun = threading.Barrier(self.CLIENTS + 1)
        self.connections = [socket.create_connection(serving.place.split(":"), HUNG_S)
                            for _ in range(self.CLIENTS)]
        self.threads = [threading.Thread(target=self.run, args=(connection,))
                        for connection in self.connections]
        for connection, thread in zip(self.connections, self.threads, strict=True):
            connection.sendall(request)
            thread.start()
        self.begun.wait(HUNG_S)

    def run(self, connection):
        count, piece = 0, bytearray(1 << 20)
        with connection:
            try:
                while read := connection.recv_into(piece):
                    count, before = count + read, count
                    if before < (1 << 24) <= count:
                        self.begun.wait(HUNG_S)
            except ConnectionResetError:
                pass

    def join(self):
        for thread in self.threads:
            thread.join(HUNG_S)


def read_all(connection):
    got = b""
    while piece := connection.recv(65_536):
        got += piece
    return got


class Ending(ServeTest):
    def connect(self, serving):
        connection = socket.create_connection(serving.place.split(":"), HUNG_S)
        self.addCleanup(connection.close)
        return connection

    def test_the_drain_ends_in_time_whatever_streams(self):
        for workers in "1", "2":
            serving = self.sidecar(self.cloud(), "--workers", workers, "--drain", "100ms")
            downloads = Downloads(serving)
            serving.process.send_signal(signal.SIGTERM)
            try:
                self.assertEqual(serving.process.wait(HUNG_S / 10), 0, workers)
            finally:
                serving.process.kill()
                downloads.join()

    def test_a_kept_connection_ends_a_moment_after_its_last_answer(self):
        go_on = threading.Event()

        def long_answer(_method, _path, _head):
            yield b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n"
            go_on.wait(HUNG_S)
            yield bytes(40_000)

        api = RawServer(self, long_answer)
        serving = Sidecar(self, self.cloud().login, api.url, "--drain", "10m")
        idle = self.connect(serving)
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(idle.recv(4096))
        busy = self.connect(serving)
        busy.sendall(GET)
        head = busy.recv(4096)
        self.assertNotIn(b"Connection: close", head)
        serving.process.send_signal(signal.SIGTERM)
        self.assertEqual(idle.recv(1), b"", "the moment for idle connections is over")
        go_on.set()
        got = len(head[head.index(b"\r\n\r\n") + 4:])
        while got < 40_000:
            got += len(busy.recv(65_536))
        self.assertEqual(busy.recv(1), b"")
        self.assertEqual(serving.process.wait(HUNG_S / 10), 0)

    def test_the_end_of_the_drain_tells_each_request_what_became_of_it(self):
        """Bodies that were held before lie in the memory of those that are held now."""
        hanging = threading.Event()
        self.addCleanup(hanging.set)

        def some_hang(_method, path, _head):
            if path.endswith("cut"):
                yield b"HTTP/1.1 200 OK\r\n\r\npart"
            if path.endswith(("cut", "hang")):
                hanging.wait(HUNG_S)
            yield answer(200)

        api = RawServer(self, some_hang)
        for workers in "1", "2":
            serving = Sidecar(self, self.cloud().login, api.url, "--workers", workers,
                              "--drain", "100ms")
            for size in range(12):
                quick = serving.request("POST", "/api/v2/quick", bytes(20_000 + size))
                self.assertEqual(quick.status, 200)
            api.seen.clear()
            sent = [self.connect(serving) for _ in range(6)]
            for size, connection in enumerate(sent):
                connection.sendall(b"POST /api/v2/hang HTTP/1.1\r\nHost: localhost\r\n"
                                   b"Content-Length: %d\r\n\r\n" % (20_000 + size)
                                   + bytes(20_000 + size))
            cut = self.connect(serving)
            cut.sendall(b"GET /api/v2/cut HTTP/1.0\r\nHost: localhost\r\n\r\n")
            head = b""
            while not head.endswith(b"part"):
                head += cut.recv(4096)
            until(self, "all are sent",
                  lambda: sum(path.endswith("hang") for _, path, _ in api.seen) == 6)
            serving.process.send_signal(signal.SIGTERM)
            for connection in sent:
                got = read_all(connection)
                self.assertTrue(got.startswith(b"HTTP/1.1 504 "), got)
                self.assertNotIn(b"Retry-After", got)
            with self.assertRaises(ConnectionResetError):
                read_all(cut)
            serving.process.wait(HUNG_S)  # another signal would end it at once
            self.assertEqual(serving.end(), 0)
            self.assertEqual(serving.log.count(" /api/v2/hang 504 "), 6, serving.log)
            self.assertEqual(serving.log.count(" /api/v2/cut 200 cut=stopping "), 1, serving.log)

    def test_the_end_of_the_drain_says_of_a_request_that_waits_that_it_was_not_sent(self):
        hanging = threading.Event()
        self.addCleanup(hanging.set)
        silent = RawServer(self, lambda *_: hanging.wait(HUNG_S) and b"")
        serving = Sidecar(self, silent.url, silent.url, "--drain", "100ms")
        waiting = self.connect(serving)
        waiting.sendall(GET)
        until(self, "it waits", lambda: serving.metric("skewguard_waiting_requests") == 1)
        serving.process.send_signal(signal.SIGTERM)
        got = read_all(waiting)
        self.assertTrue(got.startswith(b"HTTP/1.1 503 "), got)
        self.assertIn(b"Retry-After: ", got)
        serving.process.wait(HUNG_S)  # another signal would end it at once
        self.assertEqual(serving.end(), 0)
        self.assertEqual(serving.log.count(f" {PATH} 503 "), 1, serving.log)


class UnderLoad(ServeTest):
    def test_sigterm_fails_no_request_that_was_accepted(self):
        emulated = self.cloud()
        serving = self.sidecar(emulated)
        serving.wait_until_ready()
        load = Load(serving)
        load.wait_for(200)
        load.ending = True
        serving.process.send_signal(signal.SIGTERM)
        load.join()
        self.assertEqual(load.failures, [])
        self.assertEqual(emulated.effects(), dict.fromkeys(load.served, 1))
        self.assertEqual(serving.process.wait(HUNG_S), 0)

    def test_sighup_with_a_rotated_secret_fails_no_request(self):
        file = Path(self.scratch.name) / "rotated"
        file.write_text(SECRET, encoding="utf-8")
        emulated = self.cloud()
        serving = self.sidecar(emulated, "--client-secret-file", str(file),
                               GENESYS_CLOUD_CLIENT_SECRET=None)
        serving.wait_until_ready()
        load = Load(serving)
        load.wait_for(200)
        for n in range(2):
            fresh = f"{SECRET}-{n}"
            file.write_text(fresh, encoding="utf-8")
            emulated.order("client", id="demo", secret=fresh)
            self.reload(serving, n + 1)
            emulated.order("revoke", all=True)  # the next token needs the new secret
            load.wait_for(200)
        load.stop()
        self.assertEqual(load.failures, [])
        self.assertEqual(emulated.effects(), dict.fromkeys(load.served, 1))
        requests = emulated.stats()["token_requests"]["by_outcome"]
        self.assertEqual(requests.keys(), {"issued"}, requests)

    def reload(self, serving, count):
        """SIGHUP, and its effect."""
        serving.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + HUNG_S
        while Path(f"/proc/{serving.process.pid}/fd/2").read_text(encoding="utf-8").count(
                "the secrets were read again") < count:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main()
