"""What the stand-in for the Python SDK does, above all where that surprises.

    /usr/bin/python3 tests/python/test_stand_in.py                  the stand-in
    PYTHONPATH=DIR /usr/bin/python3 tests/python/test_stand_in.py   the SDK, if it is in DIR
"""

import base64
import http.server
import json
import logging
import sys
import threading
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
before_import = threading.active_count()
import PureCloudPlatformClientV2 as sdk  # noqa: E402
from PureCloudPlatformClientV2.abstract_http_client import AbstractHttpClient  # noqa: E402
from PureCloudPlatformClientV2.http_request_options import HttpRequestOptions  # noqa: E402
from PureCloudPlatformClientV2.rest import ApiException  # noqa: E402

HUNG_S = 300
LOGIN = {"access_token": "token-1", "token_type": "bearer", "expires_in": 86400}
REFUSED = {"status": 401, "code": "bad.credentials", "message": "Invalid login credentials."}


class Server:
    """Answers with what `answer(method, path)` returns: (status, body, fields), or None to close
    the connection. Keeps all requests, and how many connections there were."""

    def __init__(self, test, answer):
        server = self
        self.seen, self.connections = [], set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                server.seen.append((self.command, self.path, dict(self.headers), body))
                server.connections.add(self.client_address)
                said = answer(self.command, self.path)
                if said is None:
                    self.close_connection = True
                    return
                status, content, fields = said
                content = json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **fields,
                                    "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)


class Recorder(AbstractHttpClient):
    """Keeps the options of each request, as an adapter might, and hands them on."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.seen = inner, []

    def request(self, http_request_options):
        sent = dict(http_request_options.headers)
        self.seen.append((http_request_options, sent))
        return self.inner.request(http_request_options)


class StandIn(unittest.TestCase):
    def client(self, answer):
        self.server = Server(self, answer)
        client = sdk.ApiClient()
        client.set_gateway("127.0.0.1", "http", self.server.port, "login", "api/")
        client.access_token = "token-0"
        return client

    def test_logs_in_at_the_gateway_and_keeps_nothing_but_the_token(self):
        client = self.client(lambda method, path: (200, LOGIN if "oauth" in path else
                                                   {"OAuthClient": {"id": "demo"}}, {}))
        self.assertIs(client.get_client_credentials_token("id", "secret"), client)
        self.assertEqual(client.access_token, "token-1")
        self.assertEqual(sdk.TokensApi(client).get_tokens_me().o_auth_client.id, "demo")
        (method, path, fields, body), (_, get, bearer, _) = self.server.seen
        self.assertEqual((method, path, body),
                         ("POST", "/login/oauth/token", "grant_type=client_credentials"))
        basic = base64.b64encode(b"id:secret").decode()
        self.assertEqual(fields["Authorization"], f"Basic {basic}")
        self.assertEqual((get, bearer["Authorization"]), ("/api/api/v2/tokens/me",
                                                          "Bearer token-1"))

    def test_asks_the_login_host_beside_the_api_host_without_a_gateway(self):
        client = sdk.ApiClient(host=sdk.PureCloudRegionHosts.eu_west_1.get_api_host())
        self.assertEqual(client.get_conf_url("login", client.host), "https://login.mypurecloud.ie")
        self.assertEqual(client.get_conf_url("api", client.host), "https://api.mypurecloud.ie")

    def test_a_401_is_an_exception_and_nothing_is_tried_again(self):
        client = self.client(lambda *_: (401, REFUSED, {"ININ-Correlation-Id": "c-1"}))
        with self.assertRaises(ApiException) as raised:
            sdk.UsersApi(client).get_users_me()
        self.assertEqual((raised.exception.status, raised.exception.headers["ININ-Correlation-Id"],
                          json.loads(raised.exception.body)), (401, "c-1", REFUSED))
        self.assertEqual(len(self.server.seen), 1)

    def test_the_log_writes_into_the_headers_that_were_sent(self):
        for status in (200, 401):
            client = self.client(lambda *_: (status, {}, {}))
            recorder = Recorder(client.get_http_client())
            client.set_http_client(recorder)
            try:
                sdk.TokensApi(client).get_tokens_me()
            except ApiException:
                pass
            [(options, sent)] = recorder.seen
            self.assertEqual(sent["Authorization"], "Bearer token-0")
            self.assertEqual(options.headers["Authorization"], "[REDACTED]")

    def test_a_429_and_a_lost_connection_are_sent_again_even_a_post(self):
        for first in ((429, {}, {"Retry-After": "0"}), None):
            answers = [first, (200, {"totalHits": 0}, {})]
            client = self.client(lambda *_: answers.pop(0))
            sdk.AnalyticsApi(client).post_analytics_conversations_details_query({"order": "asc"})
            self.assertEqual([(method, body) for method, _, _, body in self.server.seen],
                             [("POST", '{"order": "asc"}')] * 2)

    def test_the_time_out_is_not_passed_on(self):
        late = threading.Event()
        threading.Timer(0.1, late.set).start()
        client = self.client(lambda *_: (200, {}, {}) if late.wait(HUNG_S) else None)
        client.get_http_client().set_timeout(0.001)
        self.assertIsNone(sdk.OrganizationApi(client).get_organizations_me().id)

    def test_four_connections_serve_all_threads(self):
        four = threading.Barrier(4)
        client = self.client(lambda *_: (200, {}, {}) if four.wait(HUNG_S) >= 0 else None)
        threads = [sdk.TokensApi(client).get_tokens_me(callback=lambda _: None) for _ in range(12)]
        for thread in threads:
            thread.join(HUNG_S)
        self.assertEqual((len(self.server.seen), len(self.server.connections)), (12, 4))

    def test_the_post_hook_sees_no_error(self):
        answers = [(200, {}, {}), (404, {}, {})]
        client = self.client(lambda *_: answers.pop(0))
        hooked = []

        def hook(response):
            hooked.append(response.status)
            return response

        client.get_http_client().set_post_request_hook(hook)
        sdk.TokensApi(client).get_tokens_me()
        with self.assertRaises(ApiException):
            sdk.TokensApi(client).get_tokens_me()
        self.assertEqual(hooked, [200])

    def test_only_an_abstract_http_client_can_be_set(self):
        client = sdk.ApiClient()
        self.assertIs(client.get_http_client(), client.get_http_client())
        for wrong in (None, object()):
            with self.assertRaises(ValueError):
                client.set_http_client(wrong)
        self.assertFalse(hasattr(sdk, "AbstractHttpClient"))

    def test_options_are_named_and_checked(self):
        options = HttpRequestOptions(url="http://x", method="get")
        self.assertEqual((options.method, options.headers, options.query_params,
                          options.post_params, options.body), ("GET", {}, {}, {}, None))
        for wrong in ({"url": "", "method": "GET"}, {"url": "http://x", "method": "FETCH"}):
            with self.assertRaises(ValueError):
                HttpRequestOptions(**wrong)

    def test_the_configuration_is_one_and_importing_it_starts_threads(self):
        self.assertIs(sdk.Configuration(), sdk.configuration)
        self.assertGreater(threading.active_count(), before_import)
        self.assertTrue(all(thread.daemon for thread in threading.enumerate()
                            if thread is not threading.main_thread()))
        self.assertFalse(logging.getLogger("urllib3").isEnabledFor(logging.CRITICAL))


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # of sockets that urllib3 leaves open
