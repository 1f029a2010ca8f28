"""The sidecar (`skewguard serve`) with the emulator: programs that hold no credentials.

Each client is a third party's: curl and Python's http.client. What the sidecar writes is
searched for the secret and for tokens, and so is what the clients get.
"""

import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness
from harness import HUNG_S, SKEWGUARD, EndToEnd

LOCAL_SECRET = "local-secret-0123456789"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=HUNG_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Sidecar:
    """`skewguard serve` on a free port, and its access log. `prefix`: a command that runs it."""

    def __init__(self, test, login, api, *flags, listen=("127.0.0.1:0",), prefix=(), **more):
        self.test = test
        listening = [part for address in listen for part in ("--listen", address)]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*prefix, SKEWGUARD, "serve", *listening, *flags],
            env=test.environment(login, api, **more), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.errors, text=True)
        test.addCleanup(self.end)
        self.urls = [self.process.stdout.readline().strip().removeprefix("listening on ")
                     for _ in listen]
        self.url = self.urls[0]
        self.place = self.url.removeprefix("http://")
        self.log = ""

    def request(self, method, path, body=None, headers={}, connection=None):
        """One request by http.client; its answer is searched for secrets."""
        own = connection or http.client.HTTPConnection(self.place, timeout=HUNG_S)
        own.request(method, path, body=body, headers=headers)
        got = own.getresponse()
        answer = Answer(got.status, got.headers, got.read())
        if connection is None:
            own.close()
        self.test.assert_no_secrets(str(got.headers), answer.body.decode(errors="replace"))
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def login(self, secret="any", path="/oauth/token"):
        """As the SDKs do."""
        credentials = harness.base64.b64encode(f"any:{secret}".encode()).decode()
        return self.request("POST", path, "grant_type=client_credentials",
                            {"Authorization": f"Basic {credentials}",
                             "Content-Type": "application/x-www-form-urlencoded"})

    def wait_until_ready(self):
        deadline = time.monotonic() + HUNG_S
        while self.get("/readyz").status != 200:
            if time.monotonic() > deadline:
                self.test.fail("the sidecar is not ready")
            time.sleep(0.02)

    def metric(self, name):
        """The value of a metric, whose name includes its labels."""
        text = self.get("/metrics").body.decode()
        return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M).group(1))

    def raw(self, data):
        """What comes back for these bytes, until it closes."""
        with socket.create_connection(self.place.split(":"), timeout=HUNG_S) as connection:
            connection.sendall(data)
            got = b""
            while piece := connection.recv(65536):
                got += piece
        return got

    def end(self, how=signal.SIGTERM):
        """The exit code; afterwards `log` holds the access log."""
        if self.process.stdout.closed:
            return self.process.returncode
        self.process.send_signal(how)
        self.log, _ = self.process.communicate(timeout=HUNG_S)
        self.process.stdout.close()
        self.errors.seek(0)
        self.said = self.errors.read()
        self.errors.close()
        self.test.assert_no_secrets(self.log, self.said)
        return self.process.returncode


class ServeTest(EndToEnd):
    def sidecar(self, emulator, *flags, **more):
        return Sidecar(self, emulator.login, emulator.api, *flags, **more)

    def cloud(self, *flags):
        return self.emulator(*flags, ours_alone=False)


class Forwarding(ServeTest):
    def test_a_program_needs_no_credentials(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        answer = sidecar.get("/api/v2/organizations/me")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json()["name"], "Emulated Organization")
        self.assertEqual(answer.headers["Skewguard-Verdict"], "ok")
        self.assertEqual(answer.headers["Skewguard-Attempts"], "1")
        self.assertEqual(emulator.token_requests(), 1)
        self.assertEqual(sidecar.end(), 0)
        self.assertRegex(sidecar.log,
                         r"Z GET /api/v2/organizations/me 200 verdict=ok attempts=1 held=")

    def test_an_sdks_login_gets_a_handle_and_its_calls_pass(self):
        sidecar = self.sidecar(self.cloud())
        for path in ("/oauth/token", "/login/oauth/token"):
            login = sidecar.login(path=path).json()
            self.assertEqual(login["expires_in"], 86400)
        bearer = {"Authorization": "Bearer " + login["access_token"]}
        self.assertEqual(sidecar.get("/api/v2/tokens/me", headers=bearer).status, 200)
        self.assertEqual(sidecar.get("/api/api/v2/tokens/me", headers=bearer).status, 200)

    def test_wrong_clocks_and_revoked_tokens_do_not_reach_the_program(self):
        emulator = self.cloud("--login-offset", "3s", "--strict-nbf", "--token", "jwt")
        sidecar = self.sidecar(emulator)
        first = sidecar.get("/api/v2/tokens/me")
        self.assertEqual((first.status, first.headers["Skewguard-Verdict"]),
                         (200, "issuer_clock_ahead"))
        self.assertEqual(sidecar.get("/api/v2/tokens/me").headers["Skewguard-Verdict"], "ok")
        emulator.order("revoke", all=True)
        revoked = sidecar.get("/api/v2/tokens/me")
        self.assertEqual((revoked.status, revoked.headers["Skewguard-Verdict"]),
                         (200, "token_revoked"))
        self.assertGreaterEqual(int(revoked.headers["Skewguard-Attempts"]), 2)

    def test_a_revoked_token_is_sent_no_more_once_its_successor_is_there(self):
        """Although that one is not valid yet: requests wait for it."""
        emulator = self.cloud("--login-offset", "3s", "--strict-nbf", "--token", "jwt")
        sidecar = self.sidecar(emulator)
        self.assertEqual(sidecar.get("/api/v2/tokens/me").status, 200)
        before = emulator.token_requests()
        emulator.order("revoke", all=True)
        with ThreadPoolExecutor(6) as pool:
            get = lambda: pool.submit(sidecar.get, "/api/v2/tokens/me")
            answers = [get()]
            while emulator.token_requests() == before:
                time.sleep(0.01)
            time.sleep(0.5)  # the new token is not valid for much longer
            answers += [get() for _ in range(5)]
            verdicts = [(a.result().status, a.result().headers["Skewguard-Verdict"])
                        for a in answers]
        self.assertEqual(verdicts[0][0], 200)
        self.assertEqual(verdicts[1:], [(200, "ok")] * 5)
        self.assertEqual(emulator.token_requests(), before + 1)

    def test_a_wrong_wall_clock_of_this_machine_changes_nothing(self):
        sidecar = self.sidecar(self.cloud("--token", "jwt"), wall="slow")
        self.assertEqual(sidecar.get("/api/v2/tokens/me").status, 200)

    def test_errors_of_the_api_pass(self):
        answer = self.sidecar(self.cloud()).get("/api/v2/nothing/here")
        self.assertEqual((answer.status, answer.json()["code"]), (404, "not.found"))
        self.assertEqual(answer.headers["Skewguard-Verdict"], "ok")
        self.assertTrue(answer.headers["ININ-Correlation-Id"])

    def test_curl_uploads_with_expect_and_reads_a_head(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        upload = Path(self.scratch.name) / "upload"
        upload.write_bytes(b"x" * 1_000_000)
        for words in (["-T", str(upload), "-X", "POST", "-H", "Expect: 100-continue"], ["-I"]):
            done = subprocess.run(
                ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *words,
                 f"{sidecar.url}/api/v2/tokens/me"],
                capture_output=True, text=True, timeout=HUNG_S)
            self.assertRegex(done.stdout, r"^(200|404|405)$", done.stderr)

    def test_none_of_the_clients_credentials_reach_the_api(self):
        api = harness.RawServer(self, lambda *_: harness.answer(200, b"{}"))
        sidecar = Sidecar(self, self.cloud().login, api.url)
        sidecar.get("/api/v2/users", headers={
            "Authorization": "Bearer clients-own", "Proxy-Authorization": "Basic clients-own",
            "Connection": "close, X-Of-One-Connection", "X-Of-One-Connection": "clients-own",
            "X-Kept": "kept"})
        [(_, _, head)] = api.seen
        self.assertNotIn("clients-own", head)
        self.assertIn("X-Kept: kept", head)
        self.assertEqual(len(re.findall("(?i)^authorization:", head, re.M)), 1)

    def test_a_redirect_on_the_apis_origin_leads_here(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        for location, seen in ((emulator.api + "/api/v2/x?y", sidecar.url + "/api/v2/x?y"),
                               ("https://elsewhere.example/z", "https://elsewhere.example/z")):
            emulator.order("fault", host="api", location=location, times=1)
            answer = sidecar.get("/api/v2/tokens/me")
            self.assertEqual((answer.status, answer.headers["Location"]), (302, seen))

    def test_a_body_that_is_kept_is_sent_again_and_a_larger_one_is_not(self):
        for size, status, attempts in ((65536, 200, "2"), (65537, 401, "1")):
            emulator = self.cloud()
            sidecar = self.sidecar(emulator, "--max-replay-body", "64KiB")
            self.assertEqual(sidecar.get("/api/v2/tokens/me").status, 200)
            emulator.order("revoke", all=True)
            answer = sidecar.request("POST", "/api/v2/emulator/upload", body=b"x" * size)
            self.assertEqual((answer.status, answer.headers["Skewguard-Attempts"]),
                             (status, attempts))
            self.assertEqual(answer.headers["Skewguard-Verdict"], "token_revoked")
            deadline = time.monotonic() + HUNG_S
            while answer.status == 401 and time.monotonic() < deadline:  # the next token comes
                answer = sidecar.request("POST", "/api/v2/emulator/upload", body=b"x" * size)
            self.assertEqual(answer.json()["bytes"], size)

    def test_a_lost_answer_says_what_was_wrong(self):
        for said, status, verdict in ((b"", 502, "network"), (b"SMTP\r\n", 502, "protocol")):
            api = harness.RawServer(self, lambda *_: said)
            sidecar = Sidecar(self, self.cloud().login, api.url)
            answer = sidecar.request("POST", "/api/v2/x", "a body")
            self.assertEqual((answer.status, answer.headers["Skewguard-Verdict"],
                              answer.headers["Skewguard-Attempts"], answer.headers["Retry-After"]),
                             (status, verdict, "1", None))

    def test_a_rate_limit_and_errors_reach_the_program_at_once(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        self.assertEqual(sidecar.get("/api/v2/tokens/me").status, 200)
        for status, got in ((429, (429, "api_rate_limited", "1")), (502, (502, "ok", "1")),
                            (503, (503, "ok", "1")),  # 504: authentication.request.timeout
                            (504, (200, "auth_backend_unavailable", "2"))):
            emulator.order("fault", host="api", status=status, times=1)
            answer = sidecar.get("/api/v2/tokens/me")
            self.assertEqual((answer.status, answer.headers["Skewguard-Verdict"],
                              answer.headers["Skewguard-Attempts"]), got)

    def test_sizes_are_read_strictly(self):
        for text in ("65MiB", "1GB", "-1", "KiB", "1 MiB2"):
            run = self.run_program(self.cloud(), "serve", "--max-replay-body", text, report=False)
            self.assertEqual(run.code, 2)
            self.assertIn("--max-replay-body", run.err)

    def test_connections_are_kept_and_requests_answered_in_order(self):
        sidecar = self.sidecar(self.cloud())
        connection = http.client.HTTPConnection(sidecar.place, timeout=HUNG_S)
        self.addCleanup(connection.close)
        for _ in range(3):
            self.assertEqual(sidecar.get("/api/v2/tokens/me", connection=connection).status, 200)
        got = sidecar.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                          b"GET /api/v2/tokens/me HTTP/1.0\r\nHost: localhost\r\n\r\n")
        self.assertEqual(re.findall(rb"HTTP/1\.[01] (\d+)", got), [b"200", b"200"])


class Guarding(ServeTest):
    def test_a_local_secret_is_needed_where_there_is_one(self):
        file = Path(self.scratch.name) / "local"
        file.write_text(LOCAL_SECRET + "\n", encoding="utf-8")
        emulator = self.cloud()
        sidecar = self.sidecar(emulator, "--local-secret-file", str(file))
        refused = sidecar.get("/api/v2/tokens/me")
        self.assertEqual((refused.status, refused.headers["WWW-Authenticate"]),
                         (401, 'Bearer realm="skewguard"'))
        self.assertEqual(refused.json()["code"], "skewguard.handle.refused")
        self.assertEqual(emulator.api_sends(), [])
        login = sidecar.login("wrong")
        self.assertEqual((login.status, login.json()["error"]), (401, "invalid_client"))
        handle = sidecar.login(LOCAL_SECRET).json()["access_token"]
        for bearer in (handle, LOCAL_SECRET):
            answer = sidecar.get("/api/v2/tokens/me", headers={"Authorization": f"Bearer {bearer}"})
            self.assertEqual(answer.status, 200)
        sidecar.process.kill()
        again = self.sidecar(emulator, "--local-secret-file", str(file))
        answer = again.get("/api/v2/tokens/me", headers={"Authorization": f"Bearer {handle}"})
        self.assertEqual(answer.status, 200)  # the handle survives restarts
        again.end()
        self.assertNotIn(LOCAL_SECRET, again.log + again.said)
        self.assertNotIn(handle, again.log + again.said)

    def test_nobody_can_end_the_token_of_all(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        self.assertEqual(sidecar.request("DELETE", "/api/v2/tokens/me").status, 204)
        self.assertEqual(sidecar.get("/api/v2/tokens/me").headers["Skewguard-Verdict"], "ok")
        self.assertEqual([r["method"] for r in emulator.api_sends()], ["GET"])

    def test_what_is_not_plain_http_does_not_reach_the_api(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        host = b"Host: localhost\r\n"
        for head in (b"GET /api/v2/../x HTTP/1.1\r\n" + host,
                     b"GET http://localhost/api/v2/users HTTP/1.1\r\n" + host,
                     b"GET /api/v2/users HTTP/1.1\r\n",
                     b"GET /api/v2/users HTTP/1.1\r\n" + host + host,
                     b"GET /api/v2/users HTTP/1.1\r\n" + host + b"A: b\r\n folded\r\n",
                     b"GET /api/v2/users HTTP/1.1\r\n" + host + b"A : b\r\n",
                     b"POST /api/v2/users HTTP/1.1\r\n" + host +
                     b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                     b"POST /api/v2/users HTTP/1.1\r\n" + host + b"Transfer-Encoding: xchunked\r\n",
                     b"POST /api/v2/users HTTP/1.1\r\n" + host +
                     b"Content-Length: 1\r\nContent-Length: 1\r\n"):
            got = sidecar.raw(head + b"Connection: close\r\n\r\n")
            self.assertRegex(got, rb"^HTTP/1.1 (400|403|501) ", head)
        self.assertEqual(emulator.api_sends(), [])


    def test_web_pages_are_not_served(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator, "--allow-host", "sidecar.example",
                               "--allow-origin", "https://app.example")
        for headers, code in (({"Host": "evil.example"}, "host.refused"),
                              ({"Host": "127.0.0.1.evil.example"}, "host.refused"),
                              ({"Origin": "https://evil.example"}, "origin.refused"),
                              ({"Origin": "null"}, "origin.refused"),
                              ({"Sec-Fetch-Site": "cross-site"}, "cross.site.refused")):
            for path in ("/api/v2/tokens/me", "/metrics", "/oauth/token"):
                answer = sidecar.get(path, headers=headers)
                self.assertEqual((answer.status, answer.json()["code"]),
                                 (403, f"skewguard.{code}"), (headers, path))
        self.assertEqual(emulator.api_sends(), [])
        for headers in ({"Host": "localhost:1"}, {"Host": "sidecar.example"},
                        {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"},
                        {"Sec-Fetch-Mode": "cors"}):
            self.assertEqual(sidecar.get("/api/v2/tokens/me", headers=headers).status, 200, headers)

    def test_only_what_is_allowed_is_forwarded(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator, "--allow", "GET /api/v2/tokens/me",
                               "--allow", "GET /api/v2/users/*", "--require-header", "X-Ours")
        ours = {"X-Ours": "1"}
        self.assertEqual(sidecar.get("/api/v2/tokens/me").json()["code"],
                         "skewguard.header.missing")
        for method, path in (("POST", "/api/v2/tokens/me"), ("GET", "/api/v2/tokens/mex"),
                             ("GET", "/api/v2/organizations/me"), ("GET", "/api/v2/%75sers/me")):
            answer = sidecar.request(method, path, headers=ours)
            self.assertEqual((answer.status, answer.json()["code"]),
                             (403, "skewguard.not.allowed"), path)
        self.assertEqual(emulator.api_sends(), [])
        self.assertEqual(sidecar.get("/api/v2/tokens/me?x", headers=ours).status, 200)
        self.assertNotIn(b"skewguard.", sidecar.get("/api/v2/users/me", headers=ours).body)
        run = self.run_program(emulator, "serve", "--allow", "/api/v2", report=False)
        self.assertEqual(run.code, 2)
        self.assertIn("METHOD PATH", run.err)

    def test_other_machines_need_a_flag_and_a_local_secret(self):
        emulator = self.cloud()
        remote = ("serve", "--listen", "0.0.0.0:0")
        run = self.run_program(emulator, *remote, report=False)
        self.assertEqual(run.code, 2)
        self.assertIn("--allow-remote", run.err)
        run = self.run_program(emulator, *remote, "--allow-remote", report=False)
        self.assertEqual(run.code, 2)
        self.assertIn("--local-secret-file", run.err)
        file = Path(self.scratch.name) / "remote"
        file.write_text(LOCAL_SECRET, encoding="utf-8")
        sidecar = self.sidecar(emulator, "--allow-remote", "--local-secret-file", str(file),
                               listen=("0.0.0.0:0",))
        self.assertRegex(sidecar.url, r"^http://0\.0\.0\.0:\d+$")
        self.assertEqual(sidecar.get("/healthz", headers={"Host": "127.0.0.1"}).status, 200)
        self.assertEqual(sidecar.get("/metrics", headers={"Host": "127.0.0.1"}).status, 401)

    def test_a_short_local_secret_is_refused(self):
        file = Path(self.scratch.name) / "short"
        file.write_text("0123456789abcde\n", encoding="utf-8")
        run = self.run_program(self.cloud(), "serve", "--local-secret-file", str(file),
                               report=False)
        self.assertEqual(run.code, 2)
        self.assertIn("openssl rand", run.err)


class Listening(ServeTest):
    def test_on_ipv6_and_a_unix_socket_of_this_user_alone(self):
        path = str(Path(self.scratch.name) / "sidecar.sock")
        sidecar = self.sidecar(self.cloud(), listen=("[::1]:0", f"unix:{path}"))
        self.assertRegex(sidecar.urls[0], r"^http://\[::1\]:\d+$")
        self.assertEqual(sidecar.urls[1], f"unix:{path}")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        by_path = UnixConnection(path)
        self.addCleanup(by_path.close)
        for connection in (None, by_path):
            self.assertEqual(sidecar.get("/api/v2/tokens/me", connection=connection).status, 200)
        sidecar.process.kill()
        sidecar.process.wait()
        again = self.sidecar(self.cloud(), listen=(f"unix:{path}",))  # over the dead one's socket
        by_path.close()
        self.assertEqual(again.get("/healthz", connection=by_path).status, 200)
        again.end()
        self.assertFalse(os.path.exists(path))

    def test_an_address_in_use_is_an_error_of_settings(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        run = self.run_program(emulator, "serve", "--listen", sidecar.place, report=False)
        self.assertEqual(run.code, 2)
        self.assertIn("cannot listen on " + sidecar.url, run.err)

    def test_missing_settings_are_named_before_anything_listens(self):
        run = self.run_with(None, None, "serve", report=False, GENESYS_CLOUD_CLIENT_ID=None)
        self.assertEqual((run.code, run.out), (2, ""))
        self.assertIn("GENESYS_CLOUD_CLIENT_ID", run.err)


class Operating(ServeTest):
    def check(self, emulator, url):
        return self.run_program(emulator, "serve", "--check", url, report=False)

    def test_it_says_when_it_is_ready(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        self.assertEqual(sidecar.get("/healthz").status, 200)
        sidecar.wait_until_ready()
        for url in (sidecar.url, sidecar.url + "/readyz", sidecar.place,
                    sidecar.url.replace("127.0.0.1", "localhost") + "/"):
            run = self.check(emulator, url)
            self.assertEqual((run.code, run.out), (0, ""), url)
        run = self.check(emulator, "http://elsewhere.example")
        self.assertEqual(run.code, 2)
        self.assertIn("--check http://elsewhere.example is not the URL", run.err)
        sidecar.end()
        run = self.check(emulator, sidecar.url)
        self.assertEqual(run.code, 1)
        self.assertIn("is not ready", run.err)

    def test_it_starts_while_the_login_host_is_down_and_recovers(self):
        emulator = self.cloud()
        emulator.order("fault", host="login", status=503)
        sidecar = self.sidecar(emulator, "--max-hold", "200ms")
        answer = sidecar.get("/api/v2/tokens/me")
        self.assertEqual(answer.status, 503)
        self.assertRegex(answer.headers["Retry-After"], r"^\d+$")
        self.assertRegex(answer.json()["code"], r"^skewguard\.")
        self.assertEqual(sidecar.get("/readyz").status, 503)
        self.assertEqual(sidecar.login().status, 200)  # SDKs log in once, at their start
        self.assertEqual(emulator.api_sends(), [])
        emulator.order("fault", clear=True)
        sidecar.wait_until_ready()
        self.assertEqual(sidecar.get("/api/v2/tokens/me").status, 200)

    def test_retry_after_says_when_a_token_is_requested_again(self):
        login = harness.RawServer(self, lambda *_: harness.answer(429, b"", "Retry-After: 40"))
        sidecar = Sidecar(self, login.url, self.cloud().api, "--max-hold", "3s")
        answer = sidecar.get("/api/v2/tokens/me")
        self.assertEqual(answer.status, 503)
        self.assertRegex(answer.headers["Retry-After"], r"^([23]\d|4[0-4])$")

    def test_a_request_is_held_until_there_is_a_token(self):
        emulator = self.cloud()
        emulator.order("fault", host="login", status=503)
        sidecar = self.sidecar(emulator)
        sidecar.get("/readyz")
        held = {}
        waiting = threading.Thread(
            target=lambda: held.update(answer=sidecar.get("/api/v2/tokens/me")))
        waiting.start()
        emulator.order("fault", clear=True)
        waiting.join(HUNG_S)
        self.assertEqual(held["answer"].status, 200)

    def test_wrong_credentials_are_named_without_an_invitation_to_retry(self):
        sidecar = self.sidecar(self.cloud(), GENESYS_CLOUD_CLIENT_SECRET="wrong-secret")
        answer = sidecar.get("/api/v2/tokens/me")
        self.assertEqual(answer.status, 502)
        self.assertIsNone(answer.headers["Retry-After"])
        self.assertEqual(sidecar.get("/readyz").status, 503)

    def test_12000_connections_are_served_and_one_more_is_told_so(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        sidecar = self.sidecar(self.cloud())
        connections = []
        self.addCleanup(lambda: [connection.close() for connection in connections])
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for count, answer in ((12_000, b"HTTP/1.1 200 "), (12_001, b"HTTP/1.1 503 ")):
            while len(connections) < count:
                connections.append(socket.create_connection(sidecar.place.split(":"), HUNG_S))
            connections[-1].sendall(request)
            self.assertEqual(connections[-1].recv(13), answer)
        connections[0].sendall(request.replace(b"healthz", b"metrics"))
        page = connections[0].makefile("rb")
        while (line := page.readline()) and b'skewguard_requests_total{code="503"}' not in line:
            pass
        self.assertEqual(line.split()[-1:], [b"1"])
        connections.append(socket.create_connection(sidecar.place.split(":"), HUNG_S))
        self.assertEqual(connections[-1].recv(13), b"HTTP/1.1 503 ")
        sidecar.end()
        self.assertEqual(sidecar.said.count("programs are turned away"), 1, sidecar.said)

    def test_clients_leave_enough_files_for_their_requests_to_be_served(self):
        emulator = self.cloud("--latency", "200ms")
        sidecar = self.sidecar(emulator, prefix=("sh", "-c", 'ulimit -n 128; exec "$@"', "sh"))
        connections = []
        self.addCleanup(lambda: [connection.close() for connection in connections])
        request = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
        while True:
            connections.append(socket.create_connection(sidecar.place.split(":"), HUNG_S))
            connections[-1].sendall(request % b"/healthz")
            answer = connections[-1].makefile("rb")
            if answer.readline().startswith(b"HTTP/1.1 503 "):
                break
            harness.read_head(answer)
            answer.read(3)
        served = connections[:-1]
        self.assertGreater(len(served), 10)
        for _ in range(2):
            for connection in served:
                connection.sendall(request % b"/api/v2/tokens/me")
            for connection in served:
                answer = connection.makefile("rb")
                self.assertEqual(answer.readline(), b"HTTP/1.1 200 OK\r\n")
                head = harness.read_head(answer)
                answer.read(int(re.search(rb"(?i)content-length: (\d+)", head).group(1)))
            emulator.order("revoke", all=True)  # the next token is requested by the same process
        sidecar.end()
        self.assertIn(f"only {len(served)} connections of programs are served", sidecar.said)
        self.assertIn("may open no more than 128 files", sidecar.said)

    def test_sigterm_lets_requests_under_way_finish(self):
        emulator = self.cloud("--latency", "1s")
        sidecar = self.sidecar(emulator)
        sidecar.wait_until_ready()
        connection = http.client.HTTPConnection(sidecar.place, timeout=HUNG_S)
        self.addCleanup(connection.close)
        connection.request("GET", "/api/v2/tokens/me")
        while not emulator.api_sends():
            pass
        sidecar.process.send_signal(signal.SIGTERM)
        got = connection.getresponse()
        self.assertEqual((got.status, got.headers["Connection"]), (200, "close"))
        got.read()
        self.assertEqual(sidecar.end(), 0)

    def test_metrics_and_status_tell_what_happened(self):
        emulator = self.cloud("--lifetime", "1h")
        sidecar = self.sidecar(emulator, "--workers", "3")
        sidecar.get("/api/v2/tokens/me")
        emulator.order("revoke", all=True)
        sidecar.get("/api/v2/tokens/me")
        metrics = sidecar.get("/metrics")
        self.assertRegex(metrics.headers["Content-Type"], "^text/plain; version=0.0.4")
        text = metrics.body.decode()
        self.assertIn('skewguard_requests_total{code="200"} 2\n', text)
        self.assertIn('skewguard_rejections_total{verdict="token_revoked"} 1\n', text)
        self.assertIn('skewguard_mitigations_total{action="refresh_and_retry"} 1\n', text)
        self.assertIn("skewguard_upstream_duration_seconds_count 2\n", text)
        left = sidecar.metric("skewguard_token_expires_in_seconds")
        self.assertTrue(3000 < left <= 3600, left)
        status = sidecar.get("/status.json").json()
        self.assertEqual((status["schema"], status["ready"], status["draining"]),
                         ("skewguard.status/1", True, False))
        self.assertEqual(status["api_url"], emulator.api)

    def test_sighup_reads_the_secrets_again_and_keeps_connections(self):
        local = Path(self.scratch.name) / "rotated-local"
        client = Path(self.scratch.name) / "rotated-client"
        log = Path(self.scratch.name) / "rotated.log"
        local.write_text(LOCAL_SECRET, encoding="utf-8")
        client.write_text("wrong-at-first-1234", encoding="utf-8")
        emulator = self.cloud()
        sidecar = self.sidecar(emulator, "--local-secret-file", str(local), "--client-secret-file",
                               str(client), "--access-log", str(log),
                               GENESYS_CLOUD_CLIENT_SECRET=None)
        connection = http.client.HTTPConnection(sidecar.place, timeout=HUNG_S)
        self.addCleanup(connection.close)

        def get(secret):
            return sidecar.get("/api/v2/tokens/me", connection=connection,
                               headers={"Authorization": f"Bearer {secret}"}).status

        self.assertEqual(get(LOCAL_SECRET), 502)
        fresh = "another-local-secret-9876"
        local.write_text(fresh, encoding="utf-8")
        client.write_text(harness.SECRET, encoding="utf-8")
        log.rename(log.with_suffix(".1"))
        sidecar.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + HUNG_S
        while get(fresh) != 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual((get(fresh), get(LOCAL_SECRET)), (200, 401))
        local.write_text("short", encoding="utf-8")  # what cannot be used changes nothing
        sidecar.process.send_signal(signal.SIGHUP)
        self.assertEqual((get(fresh), sidecar.end()), (200, 0))
        self.assertTrue(log.with_suffix(".1").exists())
        lines = log.read_text(encoding="utf-8")
        self.assertIn(" 401 ", lines)
        self.assertNotIn(fresh, lines + sidecar.said)

    def test_the_access_log_is_json_or_goes_to_a_file_or_nowhere(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator, "--log-format", "json")
        sidecar.get("/api/v2/users/me?secret=x")
        sidecar.end()
        line = json.loads(sidecar.log)
        self.assertEqual((line["method"], line["path"]), ("GET", "/api/v2/users/me"))
        file = Path(self.scratch.name) / "access.log"
        for flags, words in ((("--access-log", str(file)), 1), (("--access-log", "none"), 0),
                             (("-q",), 0)):
            sidecar = self.sidecar(emulator, *flags)
            sidecar.get("/healthz")
            sidecar.end()
            self.assertEqual(sidecar.log, "")
        self.assertRegex(file.read_text(encoding="utf-8"), r"^\S+ GET /healthz 200 total=\S+\n$")


if __name__ == "__main__":
    unittest.main()
