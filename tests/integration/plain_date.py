"""A program whose clock is wrong, hosts whose certificates fail by it, and a web server on port 80
of the same address whose Date is right: in a network of its own, where that port is free."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from harness import SKEWGUARD, Emulator


def run(words, env, preload, wall):
    """What `skewguard WORDS` did, and the `heads` of what the web server was asked. `env`: where
    nothing is set. `wall`: seconds that its clock is ahead."""
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable,
         __file__, preload, wall, *words],
        env=env, capture_output=True, text=True, timeout=300, check=True)
    told = json.loads(done.stdout)
    heads = told.pop("heads")
    return subprocess.CompletedProcess(words, **told), heads


def play(preload, wall, *words):
    heads = []

    class Plain(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            heads.append(f"{self.requestline}\n{self.headers}")
            self.send_response(301)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 80), Plain)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    emulator = Emulator("--tls", ours_alone=False)
    try:
        done = subprocess.run(
            [SKEWGUARD, *words, "--ntp", "127.0.0.1:1", "--ca-file", emulator.said["ca"]],
            env={**os.environ, "SKEWGUARD_LOGIN_URL": emulator.login,
                 "SKEWGUARD_API_URL": emulator.api, "LD_PRELOAD": preload,
                 "SKEWGUARD_TEST_WALL_OFFSET": wall},
            capture_output=True, text=True, check=False)
        print(json.dumps({"returncode": done.returncode, "stdout": done.stdout,
                          "stderr": done.stderr, "heads": heads}))
    finally:
        emulator.stop()


if __name__ == "__main__":
    play(*sys.argv[1:])
