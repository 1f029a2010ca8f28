"""Programs that were not made for the sidecar, unchanged: the official JavaScript SDK, and the HTTP
clients that the other official SDKs and many programs use.
"""

import http.client
import http.server
import json
import os
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import truth
from harness import HUNG_S, ROOT, SECRET
from test_oidc import node
from test_serve import ServeTest

HERE = Path(__file__).resolve().parent
LONG = bool(os.environ.get("SKEWGUARD_LONG"))
SECONDS, EVERY_MS, REVOKE_S = (100, 400, 15) if LONG else (24, 320, 9)
WORKERS, LIFETIME_S = 4, 20
SKEWED = ("--login-offset", "3s", "--strict-nbf", "--lifetime", f"{LIFETIME_S}s")


def port_of(url):
    return int(url.rsplit(":", 1)[1])


def go_environment():
    """Nothing is downloaded, and what was compiled before is used."""
    return {**os.environ, "GOCACHE": str(ROOT / "build/go"), "GOTOOLCHAIN": "local",
            "GOPROXY": "off"}


class Program:
    """Calls by the SDK (sdk/calls.mjs) to these ports, under way."""

    def __init__(self, login, api, secret, seconds=SECONDS, every_ms=EVERY_MS):
        if not (HERE / "sdk/node_modules/purecloud-platform-client-v2").is_dir():
            raise RuntimeError("the SDK is missing: npm ci --prefix tests/integration/sdk")
        order = {"login": port_of(login), "api": port_of(api), "secret": secret,
                 "workers": WORKERS, "calls": seconds * 1000 // every_ms, "every_ms": every_ms}
        self.process = subprocess.Popen([node(), str(HERE / "sdk/calls.mjs"), json.dumps(order)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_until_logged_in(self):
        line = self.process.stdout.readline()
        if line != "ready\n":
            raise RuntimeError(line + self.process.stderr.read())

    def ended(self):
        out, err = self.process.communicate(timeout=HUNG_S)
        if self.process.returncode != 0:
            raise RuntimeError(err)
        return json.loads(out.removeprefix("ready\n"))


class Revoker:
    """Revokes every token of these emulators now and then, until stop()."""

    def __init__(self, *emulators):
        self.emulators, self.count, self.end = emulators, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.end.wait(REVOKE_S):
            for emulator in self.emulators:
                emulator.order("revoke", all=True)
            self.count += 1

    def stop(self):
        self.end.set()
        self.thread.join()
        return self.count


class BlindRefresher:
    """What many write instead: a gateway that requests a new token whenever one is refused, and
    sends the request once more."""

    def __init__(self, test, emulated):
        gateway, self.emulated, self.token = self, emulated, emulated.new_token()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                status, answer = gateway.pass_on(self.command, self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    def pass_on(self, method, path, body):
        if path == "/oauth/token":
            return 200, b'{"access_token":"any","token_type":"bearer","expires_in":86400}'
        status, answer = self.send(method, path, body)
        if status == 401:
            self.token = self.emulated.new_token()
            status, answer = self.send(method, path, body)
        return status, answer

    def send(self, method, path, body):
        api = http.client.HTTPConnection(self.emulated.api.removeprefix("http://"), timeout=HUNG_S)
        api.request(method, path, body, {"Authorization": f"Bearer {self.token}",
                                         "Content-Type": "application/json"})
        got = api.getresponse()
        answer = got.status, got.read()
        api.close()
        return answer


class JavaScriptSdk(ServeTest):
    def test_it_needs_no_change_and_meets_no_error(self):
        """Beside it, the same program directly at the API, and behind a gateway that refreshes
        blindly: both fail."""
        ours, blind = self.cloud(*SKEWED), self.cloud(*SKEWED)
        direct = self.emulator(*SKEWED, "--client", f"any:{SECRET}", ours_alone=False)
        sidecar, gateway = self.sidecar(ours, "--log-format", "json"), BlindRefresher(self, blind)
        places = {"through the sidecar": (ours, sidecar.url, sidecar.url, "any"),
                  "directly": (direct, direct.login, direct.api, SECRET),
                  "with blind refreshes": (blind, gateway.url, gateway.url, "any")}
        programs = [Program(*place) for _, *place in places.values()]
        revoker = Revoker(ours, direct, blind)
        try:
            ends = [program.ended() for program in programs]
        finally:
            revocations = revoker.stop()
        sidecar.end()
        requests = [emulated.token_requests() for emulated, *_ in places.values()]
        for where, end, count in zip(places, ends, requests):
            print(f"| SDK {where}: {end['calls']} calls, {len(end['errors'])} errors, "
                  f"{count} token requests")
        most = SECONDS / 12 + 2 * revocations + 1
        self.assertEqual(ends[0]["errors"], [])
        self.assertEqual(ends[0]["calls"], WORKERS * (SECONDS * 1000 // EVERY_MS))
        self.assertLessEqual(requests[0], most)
        self.assert_causes(ours, sidecar)
        self.assertGreater(len(ends[1]["errors"]), 0, "then this proves nothing")
        self.assertGreater(requests[2], most, "then this proves nothing")

    def assert_causes(self, emulated, sidecar):
        """Of each request that was refused, the log names the cause that the emulator knows, and
        every kind of planted cause is among them."""
        said = {}  # the last that is said of an answer is final
        for line in map(json.loads, sidecar.said.splitlines()):
            if "verdict" in line and "correlation_id" in line:
                said[line["correlation_id"]] = line["verdict"]
        failed = emulated.stats()["failed"]
        self.assertLess(len(failed), truth.MOST_FAILED, "then some are forgotten")
        causes = {record["correlation_id"]: truth.name_of(record) for record in failed}
        self.assertEqual(said.keys(), causes.keys())
        for one, cause in causes.items():
            right = truth.RIGHT[cause] + ["token_contended"] * (cause == "revoked")
            self.assertIn(said[one], right)  # contended: tokens that end early one after the other
        self.assertLessEqual({"not_yet_valid", "revoked"}, {*causes.values()})


class OtherClients(ServeTest):
    """Each makes POSTs that take effect once, although its token is revoked meanwhile."""

    COUNT = 5

    def setUp(self):
        self.emulated = self.cloud("--login-offset", "2s", "--strict-nbf")
        self.serving = self.sidecar(self.emulated)
        self.serving.wait_until_ready()

    def run_client(self, key, *command, **more):
        self.emulated.order("revoke", all=True)
        done = subprocess.run([*command, self.serving.url, key, str(self.COUNT)], text=True,
                              capture_output=True, timeout=HUNG_S, **more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        answers = done.stdout.splitlines()
        self.assertEqual(len(answers), self.COUNT)
        for answer in answers:
            self.assertTrue(answer.startswith('200 {"bytes":6,'), answer)
        effects = self.emulated.effects()
        self.assertEqual([effects.get(f"{key}{i}") for i in range(self.COUNT)], [1] * self.COUNT)

    def test_the_jdk(self):
        """Its HttpClient offers "Upgrade: h2c" with every request."""
        self.run_client("jdk", "java", str(HERE / "clients/Calls.java"))

    def test_go_with_a_connection_for_each_request(self):
        self.run_client("go", "go", "run", str(HERE / "clients/calls.go"), env=go_environment())

    def test_urllib3_that_retries_everything(self):
        self.run_client("urllib3", "/usr/bin/python3", str(HERE / "clients/calls.py"))

    def test_node_fetch(self):
        self.run_client("fetch", node(), str(HERE / "clients/calls.mjs"))

    def test_curl_uploads_2_mb(self):
        """It expects "100 Continue"; too large to be sent again, so its token must be good."""
        self.assertEqual(self.serving.get("/api/v2/tokens/me").status, 200)
        with tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(2_000_000))
            file.flush()
            done = subprocess.run(
                ["curl", "-sS", "--fail", "-T", file.name, "-H", "Idempotency-Key: curl",
                 f"{self.serving.url}/api/v2/emulator/upload"],
                text=True, capture_output=True, timeout=HUNG_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('"bytes":2000000', done.stdout)
        self.assertEqual(self.emulated.effects()["curl"], 1)


if __name__ == "__main__":
    unittest.main()
