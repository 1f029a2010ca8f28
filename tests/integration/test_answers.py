"""Wrong settings and wrong answers: the exit code, and one clear line on stderr."""

import json
import os
import socket
import subprocess
import threading
import unittest

from harness import HUNG_S, SKEWGUARD, EndToEnd, RawServer, answer

ME = ("call", "GET", "/api/v2/tokens/me")
TOKEN = b'{"access_token":"tok-1","token_type":"bearer","expires_in":300}'


def refuse_in_plain_http(listener):
    """Whatever comes, until the listener is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(4096)
            connection.sendall(answer(400))


class WrongSettings(EndToEnd):
    def usage_error(self, *arguments, **env):
        run = self.run_with("http://127.0.0.1:9", "http://127.0.0.1:9", *arguments, report=False,
                            **env)
        self.assertEqual(run.out, "")
        return self.assert_one_error_line(run, 2)

    def test_every_missing_setting_is_named_with_its_variable(self):
        line = self.usage_error(*ME, GENESYS_CLOUD_CLIENT_ID=None, GENESYS_CLOUD_CLIENT_SECRET=None,
                                SKEWGUARD_LOGIN_URL=None, SKEWGUARD_API_URL=None)
        for name in ("GENESYS_CLOUD_REGION", "GENESYS_CLOUD_CLIENT_ID",
                     "GENESYS_CLOUD_CLIENT_SECRET"):
            self.assertIn(name, line)

    def test_unknown_region(self):
        self.assertIn("eu-wst-1", self.usage_error(*ME, GENESYS_CLOUD_REGION="eu-wst-1",
                                                   SKEWGUARD_LOGIN_URL=None,
                                                   SKEWGUARD_API_URL=None))

    def test_plain_http_beyond_loopback(self):
        line = self.usage_error(*ME, SKEWGUARD_API_URL="http://api.example.com")
        self.assertIn("--insecure-http", line)

    def test_bad_duration_names_the_setting(self):
        self.assertRegex(self.usage_error(*ME, "--timeout", "soon"), "timeout")
        self.assertRegex(self.usage_error(*ME, SKEWGUARD_MAX_WAIT="-3 parsecs"),
                         "(?i)max.wait")

    def test_unknown_store_is_a_usage_error(self):
        self.assertIn("store", self.usage_error(*ME, "--token-store", "floppy"))

    def test_unknown_command_and_option(self):
        self.usage_error("cal", "GET", "/x")
        self.usage_error(*ME, "--no-such-option")

    def test_a_path_elsewhere_gets_no_token(self):
        self.usage_error("call", "GET", "https://evil.invalid/api/v2/tokens/me")

    def test_missing_secret_file_is_named(self):
        self.assertIn("/no/such/file", self.usage_error(
            *ME, "--client-secret-file", "/no/such/file", GENESYS_CLOUD_CLIENT_SECRET=None))


class WrongAnswers(EndToEnd):
    def login_says(self, *arguments):
        login = RawServer(self, lambda *_: answer(*arguments))
        return self.run_with(login.url, "http://127.0.0.1:9", *ME, "--timeout", "6s"), login

    def test_connection_refused(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            run = self.run_with(url, url, *ME)
        self.assertEqual(run.verdict(), "network")
        self.assertIn(url.rpartition(":")[2], self.assert_one_error_line(run, 6))

    def test_name_that_does_not_resolve(self):
        run = self.run_with("https://login.skewguard.invalid", "https://api.skewguard.invalid", *ME)
        self.assertEqual(run.verdict(), "network")
        self.assertIn("login.skewguard.invalid", self.assert_one_error_line(run, 6))

    def test_tls_with_the_systems_bundle_and_with_ours(self):
        emulator = self.emulator("--tls")
        run = self.run_program(emulator, *ME, SSL_CERT_FILE=None)
        self.assertEqual(run.verdict(), "tls_untrusted", run.report_text)
        self.assertIn("certificate", self.assert_one_error_line(run, 6))
        self.assertEqual(emulator.token_requests(), 0)
        run = self.run_program(emulator, *ME, "--ca-file", emulator.said["ca"])
        self.assert_came_through(run)

    def test_silence_ends_at_the_deadline(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            run = self.run_with(url, url, *ME, "--timeout", "1s")
        self.assertEqual(run.verdict(), "timeout")
        self.assert_one_error_line(run, 6)
        self.assertLess(run.report["elapsed_ms"], 15_000, "not that of the default")

    def test_cut_off_json_of_the_login_host(self):
        run, _ = self.login_says(200, b'{"access_token":"abc","token_ty')
        self.assertEqual(run.verdict(), "protocol")
        self.assert_one_error_line(run, 1)

    def test_cut_off_answer_of_the_login_host(self):
        whole = answer(200, b'{"access_token":"abcdefgh","token_type":"bearer","expires_in":300}')
        login = RawServer(self, lambda *_: whole[:-10])
        run = self.run_with(login.url, "http://127.0.0.1:9", *ME, "--timeout", "6s")
        self.assertEqual(run.verdict(), "network")
        self.assert_one_error_line(run, 6)

    def test_ten_mebibytes_of_the_login_host(self):
        run, _ = self.login_says(200, b"[" + b" " * (10 * 1024 * 1024) + b"]")
        self.assertEqual(run.verdict(), "protocol")
        self.assert_one_error_line(run, 1)

    def test_redirect_of_the_login_host_gets_no_secret(self):
        other = RawServer(self, lambda *_: answer(200, b"{}"))
        run, login = self.login_says(302, b"", f"Location: {other.url}/oauth/token")
        self.assertEqual(run.verdict(), "protocol")
        self.assert_one_error_line(run, 1)
        self.assertEqual((len(login.seen), other.seen), (1, []))

    def test_login_host_down_is_retried_then_six(self):
        run, login = self.login_says(503, b"<html>down</html>")
        self.assertEqual(run.verdict(), "auth_backend_unavailable")
        self.assert_one_error_line(run, 6)
        self.assertGreater(len(login.seen), 1)

    def test_login_rate_limit_to_the_end_is_seven(self):
        body = json.dumps({"error": "invalid_request", "description":
                           "rate limit exceeded; try later"}).encode()
        run, _ = self.login_says(400, body)
        self.assertEqual(run.verdict(), "login_rate_limited")
        self.assert_one_error_line(run, 7)

    def test_expires_in_that_makes_no_sense(self):
        for value in (b"true", b'"soon"', b"[]"):
            run, _ = self.login_says(200, b'{"access_token":"abcdef","token_type":"bearer",'
                                          b'"expires_in":' + value + b"}")
            self.assertIn("expires_in", self.assert_one_error_line(run, 1))

    def test_a_token_that_cannot_stand_in_a_header(self):
        run, _ = self.login_says(200, b'{"access_token":"abc\\r\\nEvil: 1","expires_in":300}')
        line = self.assert_one_error_line(run, 1)
        self.assertIn("access_token", line)
        self.assertNotIn("Evil", run.err + run.report_text)


class ApiAnswers(EndToEnd):
    def api_says(self, *arguments, call=ME, **more):
        emulator = self.emulator("--lifetime", "300s")
        api = RawServer(self, lambda *_: arguments[0] if isinstance(arguments[0], bytes)
                        else answer(*arguments))
        run = self.run_with(emulator.login, api.url, *call, "--timeout", "15s", **more)
        return run, api, emulator

    def test_an_api_error_that_is_not_about_the_token(self):
        for status in (404, 409, 500):
            run, api, _ = self.api_says(status, b'{"code":"x"}')
            self.assertEqual((run.code, run.verdict(), run.out), (1, "ok", '{"code":"x"}'))

    def test_big_bodies_are_printed_whole(self):
        body = os.urandom(5 * 1024 * 1024).hex().encode()  # 10 MiB
        emulator = self.emulator()
        api = RawServer(self, lambda *_: answer(200, body))
        env = self.environment(emulator.login, api.url)
        done = subprocess.run([SKEWGUARD, *ME], env=env, capture_output=True, timeout=HUNG_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, body)

    def test_a_cut_off_body_prints_nothing(self):
        run, _, _ = self.api_says(answer(200, b'{"id":"1234567890"}')[:-5])
        self.assertEqual((run.out, run.verdict()), ("", "network"))
        self.assert_one_error_line(run, 6)

    def test_a_post_is_sent_once_when_the_connection_breaks(self):
        run, api, _ = self.api_says(b"", call=("call", "POST", "/api/v2/x", "-d", "{}"))
        self.assertEqual(run.code, 6)
        self.assertEqual(len(api.seen), 1)

    def test_garbage_is_a_protocol_error(self):
        run, _, _ = self.api_says(b"NONSENSE\r\n\r\n")
        self.assertEqual(run.verdict(), "protocol")
        self.assert_one_error_line(run, 1)

    def api_sends(self, sent, *call):
        """The API sends these bytes, and keeps the connection open until the program has ended."""
        ended = threading.Event()
        self.addCleanup(ended.set)

        def says(_method, path, _head):
            if path == "/oauth/token":
                yield answer(200, TOKEN)
                return
            yield sent
            ended.wait(HUNG_S)

        server = RawServer(self, says)
        run = self.run_with(server.url, server.url, *(call or ME), "--timeout", "40s")
        return run, [method for method, path, _ in server.seen if path != "/oauth/token"]

    def test_a12_what_is_harmless_is_taken(self):
        for sent in (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
                     b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"):
            run, asked = self.api_sends(sent)
            self.assertEqual((run.code, run.out, len(asked)), (0, "ok", 1), run.err)

    def test_a12_what_is_malformed_is_not_waited_for(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for sent in (chunked + b'5\r\nhallo\r\n7;e-#="\r\n', chunked + b'{"a":1}',
                     b"HTTP/1.1 200 OK\rContent-Length: 2\r\rok"):
            run, asked = self.api_sends(sent)
            self.assertEqual(run.verdict(), "protocol", run.report_text)
            self.assert_one_error_line(run, 1)
            self.assertEqual(asked, ["GET"])

    def test_the_other_protocol_behind_a_url_is_named(self):
        tls_alert = bytes.fromhex("15030300020246")
        run, _ = self.api_sends(tls_alert)
        self.assertIn("https://", self.assert_one_error_line(run, 1))
        run, _ = self.api_sends(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 68\r\n\r\n<center>"
                                b"The plain HTTP request was sent to HTTPS port</center></html>")
        self.assertIn("https://", self.assert_one_error_line(run, 1))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=refuse_in_plain_http, args=(listener,), daemon=True).start()
            url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            run = self.run_with(url, url, *ME, "--timeout", "4s")
        self.assertIn("plain HTTP", self.assert_one_error_line(run, 6))

    def test_a_field_of_the_connection_is_a_usage_error_before_anything_is_sent(self):
        server = RawServer(self, lambda *_: answer(200))
        for field in ("Upgrade: websocket", "TE: trailers", "keep-alive: 5", "Trailer: X"):
            run = self.run_with(server.url, server.url, *ME, "-H", field, report=False)
            self.assertIn(field.split(":")[0], self.assert_one_error_line(run, 2))
        self.assertEqual(server.seen, [])

    def test_a_path_of_two_slashes_is_sent_as_given(self):
        server = RawServer(self, lambda *_: answer(200, TOKEN))
        self.run_with(server.url, server.url, "call", "GET", "//x")
        self.assertEqual([path for _, path, _ in server.seen], ["/oauth/token", "//x"])

    def test_429_is_waited_for_and_then_seven(self):
        run, api, _ = self.api_says(429, b"{}", "Retry-After: 3600")
        self.assertEqual(run.verdict(), "api_rate_limited")
        self.assert_one_error_line(run, 7)
        self.assertEqual(len(api.seen), 1)

    def test_insufficient_scope_whatever_the_status(self):
        field = 'WWW-Authenticate: Bearer error="insufficient_scope", scope="calls"'
        for status in (401, 403):
            run, api, emulator = self.api_says(status, b"", field)
            self.assertEqual(run.verdict(), "missing_permission")
            self.assert_one_error_line(run, 5)
            self.assertEqual((len(api.seen), emulator.token_requests()), (1, 1))


if __name__ == "__main__":
    unittest.main()
