"""Programs that were not made for the sidecar, unchanged: the official JavaScript SDK, and the HTTP
clients that the other official SDKs and many programs use.
"""

import json
import os
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from harness import HUNG_S, SECRET
from test_oidc import node
from test_serve import ServeTest

HERE = Path(__file__).resolve().parent
LONG = bool(os.environ.get("SKEWGUARD_LONG"))
SECONDS, EVERY_MS, REVOKE_S = (100, 400, 15) if LONG else (24, 320, 9)
WORKERS, LIFETIME_S = 4, 20
SKEWED = ("--login-offset", "3s", "--strict-nbf", "--lifetime", f"{LIFETIME_S}s")


def port_of(url):
    return int(url.rsplit(":", 1)[1])


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


class JavaScriptSdk(ServeTest):
    def test_it_needs_no_change_and_meets_no_error(self):
        """Beside it, the same program directly at the API, where it fails."""
        behind, direct = self.cloud(*SKEWED), self.emulator(*SKEWED, "--client", f"any:{SECRET}",
                                                            ours_alone=False)
        sidecar = self.sidecar(behind, "--log-format", "json")
        through = Program(sidecar.url, sidecar.url, "any")
        beside = Program(direct.login, direct.api, SECRET)
        revoker = Revoker(behind, direct)
        try:
            with_us, without = through.ended(), beside.ended()
        finally:
            revocations = revoker.stop()
        sidecar.end()
        print(f"| SDK through the sidecar: {with_us['calls']} calls, {len(with_us['errors'])} "
              f"errors, {behind.token_requests()} token requests; directly: {without['calls']} "
              f"calls, {len(without['errors'])} errors")
        self.assertEqual(with_us["errors"], [])
        self.assertEqual(with_us["calls"], WORKERS * (SECONDS * 1000 // EVERY_MS))
        self.assertGreater(len(without["errors"]), 0, "then this proves nothing")
        self.assertLessEqual(behind.token_requests(), SECONDS / 12 + 2 * revocations + 1)
        self.assert_causes(behind, sidecar)

    def assert_causes(self, emulated, sidecar):
        """The sidecar names no cause that the emulator does not know of, and every revocation."""
        lines = [json.loads(line) for line in sidecar.log.splitlines() if line.startswith("{")]
        verdicts = {line["verdict"] for line in lines if line.get("verdict")} - {"ok"}
        allowed = {"revoked": {"token_revoked", "token_contended"},  # two in a row: contended
                   "not_yet_valid": {"issuer_clock_ahead"}, "expired": {"token_expired"}}
        outcomes = emulated.stats()["api_requests"]["by_outcome"]
        causes = [allowed[why] for why in outcomes if why != "ok"]
        self.assertLessEqual(verdicts, set().union(*causes))
        self.assertIn("token_revoked", verdicts)


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
        with tempfile.TemporaryDirectory() as cache:
            self.run_client("go", "go", "run", str(HERE / "clients/calls.go"),
                            env={**os.environ, "GOCACHE": cache, "GOTOOLCHAIN": "local"})

    def test_urllib3_that_retries_everything(self):
        self.run_client("urllib3", "/usr/bin/python3", str(HERE / "clients/calls.py"))

    def test_node_fetch(self):
        self.run_client("fetch", node(), str(HERE / "clients/calls.mjs"))


if __name__ == "__main__":
    unittest.main()
