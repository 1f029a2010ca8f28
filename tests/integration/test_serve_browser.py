"""Web pages in a real Chromium beside the sidecar: what they try reaches nothing."""

import os
import re
import socket
import socketserver
import subprocess
import tempfile
import threading
import unittest

import harness
from harness import HUNG_S
from test_serve import ServeTest

EVIL, APP = "evil.example", "app.example"  # both lead to loopback here


class Site:
    """A web server that serves `pages` ({path: HTML}) and notes what its pages report
    (/report?TEXT). As a name server that rebinds would have it, all other requests are for the
    program at `rebound`, byte for byte: for the browser it is the same origin."""

    def __init__(self, test, rebound):
        reports = self.reports = []
        changed = self.changed = threading.Condition()
        site = self
        self.pages = {}

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                head = harness.read_head(self.rfile)
                if head is None:
                    return
                path = head.split(b" ")[1].decode()
                if path.startswith("/report?"):
                    with changed:
                        reports.append(path.removeprefix("/report?"))
                        changed.notify_all()
                    self.say(b"")
                elif path in site.pages:
                    self.say(site.pages[path].encode())
                else:
                    self.pass_on(head)

            def say(self, body):
                self.wfile.write(harness.answer(200, body, "Content-Type: text/html"))

            def pass_on(self, head):
                length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
                body = self.rfile.read(int(length.group(1)) if length else 0)
                head = re.sub(rb"\r\nconnection: [^\r]*", b"", head, flags=re.I)
                with socket.create_connection(rebound.split(":"), timeout=HUNG_S) as far:
                    far.sendall(head[:-2] + b"Connection: close\r\n\r\n" + body)
                    while piece := far.recv(65536):
                        self.wfile.write(piece)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        test.addCleanup(self.stop)

    def await_report(self, wanted):
        with self.changed:
            if not self.changed.wait_for(lambda: wanted in self.reports, HUNG_S):
                raise AssertionError(f"the page did not report {wanted}: {self.reports}")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(HUNG_S)


class InABrowser(ServeTest):
    def browse(self, url, site, last):
        """Opens the page until it has reported `last`."""
        profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(profile.cleanup)
        # Its sandbox works neither for root nor in most containers. It ends with this test, even if
        # that is killed.
        browser = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "chromium", "--headless", "--no-sandbox",
             "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--no-proxy-server",
             "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
             f"--user-data-dir={profile.name}",
             "--host-resolver-rules=MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
             url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env={**os.environ, "HOME": profile.name})
        try:
            site.await_report(last)
        finally:
            os.killpg(browser.pid, 9)
            browser.wait(HUNG_S)

    def lines(self, sidecar):
        """(path, status) of each request that reached the sidecar."""
        sidecar.end()
        return {(path, int(status)) for path, status in
                re.findall(r"^\S+ \S+ (\S+) (\d+) ", sidecar.log, re.M)}

    def test_a_page_of_another_site_reaches_nothing(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        sidecar.wait_until_ready()
        site = Site(self, sidecar.place)
        api = f"{sidecar.url}/api/v2"
        site.pages["/"] = f"""<!doctype html><script>
const wanted = new Set(['img', 'script', 'style', 'form', 'simple', 'json', 'read', 'login']);
function done(what) {{
  wanted.delete(what);
  if (wanted.size === 0) fetch('/report?done');
}}
const attempt = (what, promise) => promise.then(() => done(what), () => done(what));
</script><body>
<img src="{api}/img" onerror="done('img')">
<script src="{api}/script" onerror="done('script')"></script>
<link rel="stylesheet" href="{api}/style" onerror="done('style')">
<form id="form" method="POST" action="{api}/form" target="frame" enctype="text/plain">
<input name="a" value="b"></form>
<iframe name="frame" id="frame"></iframe>
<script>
document.getElementById('frame').onload = () => done('form');
document.getElementById('form').submit();
attempt('simple', fetch('{api}/simple', {{method: 'POST', mode: 'no-cors', body: 'x'}}));
attempt('json', fetch('{api}/json', {{method: 'POST', body: '{{}}',
                                      headers: {{'Content-Type': 'application/json'}}}}));
attempt('read', fetch('{api}/read').then(() => fetch('/report?read')));
attempt('login', fetch('{sidecar.url}/oauth/token',
                       {{method: 'POST', mode: 'no-cors',
                         body: new URLSearchParams({{grant_type: 'client_credentials'}})}}));
</script>"""
        self.browse(f"http://{EVIL}:{site.port}/", site, "done")
        self.assertNotIn("read", site.reports)
        self.assertEqual(emulator.api_sends(), [])
        lines = self.lines(sidecar)
        for path in ("img", "script", "style", "simple", "read", "form"):
            self.assertIn((f"/api/v2/{path}", 403), lines)  # it was tried indeed
        self.assertIn(("/oauth/token", 403), lines)
        self.assertLessEqual({status for path, status in lines if path != "/readyz"}, {403, 405})

    def test_a_page_on_a_name_that_is_rebound_reaches_nothing(self):
        emulator = self.cloud()
        sidecar = self.sidecar(emulator)
        sidecar.wait_until_ready()
        site = Site(self, sidecar.place)
        site.pages["/"] = """<!doctype html><script>
async function attack() {
  const seen = [];
  for (const [method, path] of [['GET', '/api/v2/users/me'], ['POST', '/api/v2/users'],
                                ['DELETE', '/api/v2/users/1'], ['POST', '/oauth/token'],
                                ['GET', '/metrics'], ['GET', '/status.json']]) {
    const answer = await fetch(path, {method, body: method === 'POST' ? '{}' : undefined,
                                      headers: {'Content-Type': 'application/json'}});
    seen.push(answer.status);
  }
  await fetch('/report?' + seen.join('-'));
}
attack();
</script>"""
        self.browse(f"http://{EVIL}:{site.port}/", site, "403-403-403-403-403-403")
        self.assertEqual(emulator.api_sends(), [])
        self.assertIn(("/api/v2/users/1", 403), self.lines(sidecar))

    def test_a_page_of_an_allowed_origin_may_use_the_api_and_no_other_page(self):
        emulator = self.cloud()
        site = Site(self, emulator.api.removeprefix("http://"))
        origin = f"http://{APP}:{site.port}"
        sidecar = self.sidecar(emulator, "--allow-origin", origin)
        sidecar.wait_until_ready()
        site.pages["/"] = f"""<!doctype html><script>
async function work() {{
  const login = await fetch('{sidecar.url}/login/oauth/token', {{
    method: 'POST', headers: {{Authorization: 'Basic ' + btoa('any:any')}},
    body: new URLSearchParams({{grant_type: 'client_credentials'}})}});
  const headers = {{Authorization: 'Bearer ' + (await login.json()).access_token,
                   'Content-Type': 'application/json', 'purecloud-sdk': '1'}};
  const seen = [];
  for (const [method, path] of [['GET', '/organizations/me'], ['PATCH', '/emulator/upload'],
                                ['POST', '/../x']]) {{
    const answer = await fetch('{sidecar.url}/api/v2' + path,
                               {{method, headers, body: method === 'PATCH' ? '{{}}' : undefined}});
    seen.push(answer.status, answer.headers.get('Skewguard-Verdict'));
  }}
  return seen.join('-');
}}
work().then((seen) => fetch('/report?' + seen), (why) => fetch('/report?' + why));
</script>"""
        self.browse(f"{origin}/", site, "200-ok-200-ok-404-")
        self.assertNotEqual(emulator.api_sends(), [])
        self.browse(f"http://{EVIL}:{site.port}/", site, "TypeError:%20Failed%20to%20fetch")


if __name__ == "__main__":
    unittest.main()
