"""skewguard with a third-party issuer and resource server (npm oidc-provider, jose).

Each party runs with its own wall clock: tests/preload/wallclock.c moves CLOCK_REALTIME alone.
The program under test is $SKEWGUARD, else build/release/skewguard.
"""

import hashlib
import json
import os
import re
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import truth
from harness import HUNG_S

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKEWGUARD = os.environ.get("SKEWGUARD", str(ROOT / "build/release/skewguard"))
CLIENT, SECRET = "test-client", "correct-horse-battery-staple"
JWT = ("--token-param", "resource=urn:api")  # a resource indicator asks for a JWT
OPAQUE = ()


def node():
    found = sorted(HERE.glob("oidc/node_modules/node-linux-*/bin/node"))
    if not found:
        raise RuntimeError("the npm parties are missing: npm ci --prefix tests/integration/oidc")
    return str(found[0])


def build_preload(folder):
    library = str(Path(folder) / "wallclock.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library,
                    str(ROOT / "tests/preload/wallclock.c")], check=True)
    return library


def setUpModule():
    global scratch, preload
    scratch = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(scratch.cleanup)
    preload = build_preload(scratch.name)


class Party:
    """One of the npm servers, its wall clock `offset` seconds ahead of the true time."""

    def __init__(self, script, offset, *arguments):
        env = dict(os.environ, LD_PRELOAD=preload, SKEWGUARD_TEST_WALL_OFFSET=str(offset))
        self.process = subprocess.Popen([node(), str(HERE / "oidc" / script), *arguments], env=env,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.events, self.errors = [], []
        self.ready = threading.Event()
        self.threads = [threading.Thread(target=self._read_events, daemon=True),
                        threading.Thread(target=self._read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()
        if not self.ready.wait(HUNG_S) or not self.events:
            self.stop()
            raise RuntimeError(f"{script} did not start: {''.join(self.errors)}")
        self.url = self.events[0]["url"]

    def _read_events(self):
        for line in self.process.stdout:
            if line.startswith("{"):  # else a notice of the library's
                self.events.append(json.loads(line))
                self.ready.set()
        self.ready.set()

    def _read_errors(self):
        self.errors.extend(self.process.stderr)

    def stop(self):
        """Ends it and returns all that it told: only then is nothing on its way any more."""
        self.process.terminate()
        self.process.wait(HUNG_S)
        for thread in self.threads:
            thread.join(HUNG_S)
        self.process.stdout.close()
        self.process.stderr.close()
        return self.events


class Run:
    """One run of the program, and what each party saw of it."""

    def __init__(self, done, report, issuer_events, resource_events):
        self.exit_code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        self.report_text = report
        self.report = json.loads(report) if report else None
        self.issuer_events = issuer_events
        self.sends = [e for e in resource_events if e["event"] == "request"]
        self.authorized = [e for e in self.sends if "token" in e]
        self.token_requests = sum(e["event"] in ("token", "refused") for e in issuer_events)
        self.broken = [e for e in issuer_events + resource_events if e["event"] == "broken"]


def run_program(issuer_url, resource_url, arguments, secret, local):
    env = {k: v for k, v in os.environ.items() if not re.match("GENESYS|SKEWGUARD_", k)}
    env.update(GENESYS_CLOUD_CLIENT_ID=CLIENT, GENESYS_CLOUD_CLIENT_SECRET=secret,
               HOME=scratch.name, XDG_CONFIG_HOME=scratch.name, SKEWGUARD_TOKEN_STORE="none")
    if local:
        env.update(LD_PRELOAD=preload, SKEWGUARD_TEST_WALL_OFFSET=str(local))
    with tempfile.TemporaryDirectory(dir=scratch.name) as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [SKEWGUARD, *arguments, "--login-url", issuer_url, "--api-url", resource_url,
             "--token-path", "/token", "--report", str(report), "-v", "-v", "-v"],
            env=env, capture_output=True, text=True, timeout=HUNG_S, stdin=subprocess.DEVNULL)
        return done, report.read_text(encoding="utf-8") if report.exists() else ""


def play(arguments, issuer=0, resource=0, local=0, secret=SECRET, lifetime=300):
    """Runs the program once; the offsets are each party's clock less the true time, in seconds."""
    login = Party("provider.mjs", issuer, "--client", CLIENT, "--secret", SECRET,
                  "--lifetime", str(lifetime))
    try:
        api = Party("resource.mjs", resource, "--issuer", login.url)
        try:
            done, report = run_program(login.url, api.url, arguments, secret, local)
        finally:
            resource_events = api.stop()
    finally:
        issuer_events = login.stop()
    run = Run(done, report, issuer_events, resource_events)
    write_truth(run)
    return run


def write_truth(run):
    """What the parties say of the answers that failed, in the order of the report's attempts."""
    refused = [e for e in run.authorized if e["status"] != 200]
    at_login = [e for e in run.issuer_events if e["event"] == "refused"]
    for attempt in run.report["attempts"]:
        if attempt["verdict"] in (None, "ok") or attempt["http_status"] is None:
            continue
        if attempt["host"] == "login":
            known = {"invalid_client": "wrong_secret"}[at_login.pop(0)["error"]]
        else:
            known = truth_of(refused.pop(0))
        truth.judged(known, attempt["verdict"], attempt["explanation"], "test_oidc")


def truth_of(send):
    if send["status"] == 403:
        return "missing.permissions"
    return "not_yet_valid" if re.search("iat|nbf", send["why"]) else "expired"


class OidcTest(unittest.TestCase):
    def assert_clean(self, run):
        """No secret and no token in any output, and no party broke."""
        self.assertEqual(run.broken, [])
        output = run.stdout + run.stderr + run.report_text
        self.assertNotIn(SECRET, output)
        hashes = {e["token"] for e in run.authorized}
        for word in re.findall(r"[\w.~-]{40,}", output):
            self.assertNotIn(hashlib.sha256(word.encode()).hexdigest(), hashes)
        self.assertNotIn("eyJ", output)  # how every JWT begins

    def assert_untroubled(self, run):
        """One token, one send, 200."""
        self.assertEqual(run.exit_code, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["client"], CLIENT)
        self.assertEqual([e["status"] for e in run.authorized], [200])
        self.assertEqual(run.token_requests, 1)
        self.assertEqual(run.report["schema"], "skewguard.report/1")
        self.assertEqual(run.report["verdict"], "ok")
        self.assertEqual(run.report["http_status"], 200)
        self.assertEqual(run.report["exit_code"], 0)
        self.assertFalse(run.report["mitigated"])
        self.assert_clean(run)

    def assert_waited(self, run, ahead):
        """401, then the same token once more: 200; the issuer is blamed, relative to the API."""
        self.assertEqual(run.exit_code, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["client"], CLIENT)
        self.assertEqual([e["status"] for e in run.authorized], [401, 200])
        self.assertEqual(len({e["token"] for e in run.authorized}), 1, "the same token twice")
        self.assertEqual(run.token_requests, 1)
        report = run.report
        self.assertEqual(report["verdict"], "issuer_clock_ahead")
        self.assertTrue(report["mitigated"])
        self.assertEqual(report["http_status"], 200)
        self.assertEqual(report["exit_code"], 0)
        self.assertEqual(report["token_requests"], 1)
        first = report["attempts"][0]
        self.assertEqual((first["host"], first["http_status"]), ("api", 401))
        self.assertEqual(first["action"], "wait_and_retry")
        # It must wait until `iat` has come by the API's clock: up to a second less than `ahead`
        # (iat is a whole second, rounded down), and not much over the bounds that one round trip
        # of whole seconds gives.
        self.assertGreaterEqual(first["waited_ms"], (ahead - 1.2) * 1000)
        self.assertLessEqual(first["waited_ms"], (ahead + 4) * 1000)
        self.assert_clean(run)

    def assert_clock_told(self, run, role, offset):
        """The report's bounds of that party's clock hold the truth."""
        clock = run.report["clocks"][role]
        self.assertLessEqual(clock["offset_low_s"], offset + 0.01)
        self.assertGreaterEqual(clock["offset_high_s"], offset - 0.01)


class WithBothClocksMovedAlike(OidcTest):
    def test_jwt_is_used_at_once_with_both_600_s_ahead(self):
        run = play(["call", "GET", "/whatever", *JWT], issuer=600, resource=600)
        self.assert_untroubled(run)

    def test_jwt_is_used_at_once_with_both_600_s_behind(self):
        run = play(["call", "GET", "/whatever", *JWT], issuer=-600, resource=-600)
        self.assert_untroubled(run)

    def test_opaque_token_is_used_at_once_with_both_600_s_ahead(self):
        run = play(["call", "GET", "/whatever", *OPAQUE], issuer=600, resource=600)
        self.assert_untroubled(run)

    def test_opaque_token_is_used_at_once_with_both_600_s_behind(self):
        run = play(["call", "GET", "/whatever", *OPAQUE], issuer=-600, resource=-600)
        self.assert_untroubled(run)

    def test_local_clock_in_1970_changes_nothing(self):
        run = play(["call", "GET", "/whatever", *JWT], local="@0")
        self.assert_untroubled(run)

    def test_every_reported_clock_bound_holds_the_truth(self):
        run = play(["call", "GET", "/whatever", *JWT], issuer=600, resource=600)
        self.assertEqual(len(run.report["clocks"]), 2)
        for role in range(2):
            self.assert_clock_told(run, role, 600)


class WithTheIssuerFourSecondsAhead(OidcTest):
    def test_jwt_is_sent_again_after_a_wait(self):
        run = play(["call", "GET", "/whatever", *JWT], issuer=4)
        self.assert_waited(run, 4)

    def test_jwt_is_sent_again_with_both_600_s_ahead_besides(self):
        run = play(["call", "GET", "/whatever", *JWT], issuer=604, resource=600)
        self.assert_waited(run, 4)

    def test_jwt_is_sent_again_with_both_600_s_behind_besides(self):
        run = play(["call", "GET", "/whatever", *JWT], issuer=-596, resource=-600)
        self.assert_waited(run, 4)

    def test_opaque_token_is_sent_again_after_a_wait(self):
        run = play(["call", "GET", "/whatever", *OPAQUE], issuer=4)
        self.assert_waited(run, 4)

    def test_local_clock_900_s_slow_takes_no_part(self):
        run = play(["call", "GET", "/whatever", *JWT], issuer=4, local=-900)
        self.assert_waited(run, 4)

    def test_body_of_a_post_is_sent_again_byte_for_byte(self):
        run = play(["call", "POST", "/things", "-d", '{"a": "é\\n"}', *JWT], issuer=4)
        self.assert_waited(run, 4)
        self.assertEqual([e["body"] for e in run.authorized], ['{"a": "é\\n"}'] * 2)


class WithTheClocksRight(OidcTest):
    def test_insufficient_scope_is_a_missing_permission_and_costs_no_token(self):
        run = play(["call", "GET", "/forbidden", *JWT])
        self.assertEqual(run.exit_code, 5, run.stderr)
        self.assertEqual(run.report["verdict"], "missing_permission")
        self.assertEqual(run.token_requests, 1)
        self.assertEqual(len(run.authorized), 1)
        self.assert_clean(run)

    def test_wrong_secret_ends_with_3_after_one_request(self):
        run = play(["call", "GET", "/whatever", *JWT], secret="not-the-secret")
        self.assertEqual(run.exit_code, 3, run.stderr)
        self.assertEqual(run.report["verdict"], "credentials_rejected")
        self.assertEqual(run.token_requests, 1)
        self.assertEqual(run.sends, [])
        self.assertNotIn("not-the-secret", run.stdout + run.stderr + run.report_text)
        self.assert_clean(run)


if __name__ == "__main__":
    unittest.main()
