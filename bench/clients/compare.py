#!/usr/bin/env python3
"""The same scenarios against skewguard and against clients that people really use, unmodified.

    SKEWGUARD=build/release/skewguard bench/clients/compare.py [SCENARIO ...]

Plays scenarios/*.toml (or those named: C3 T1) with every client, each with an emulator of its own,
and prints a table: failures that reached the caller, token requests, calls that the API refused.
What is missing is installed. Scenarios that move more of the local machine than its wall clock
(suspend, a stopped VM) are left out: a program cannot be made to live through these from outside.
"""

import http.client
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import CALLS_ON_DEMAND, CLIENT, Emulator, build_preload  # noqa: E402

PYTHON = "/usr/bin/python3"  # the one that Debian's packages belong to
# Letters and digits alone: some clients form-encode it before Basic (RFC 6749 section 2.3.1),
# which the platform does not undo.
SECRET = "demosecret7f3a"
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    """A duration of a scenario file."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return float(number) * UNITS[text[len(number):] or "s"]


def install():
    subprocess.run([str(ROOT / "tools" / "install.sh"), "check", "bench"], check=True)
    subprocess.run(["npm", "ci", "--prefix", str(HERE), "--ignore-scripts"], check=True,
                   stdout=subprocess.DEVNULL)


def node():
    """Node 22 from npm where it is there: Debian's is too old for some of them."""
    for binary in sorted(HERE.glob("node_modules/node-linux-*/bin/node")):
        return str(binary)
    return "node"


class Gateway:
    """One host for login and API, as the gateway setting of the official SDK wants it:
    /login/... and /api/... go where they belong; answers pass through as they are."""

    def __init__(self, login, api):
        targets = {"login": urlsplit(login).netloc, "api": urlsplit(api).netloc}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                side, _, rest = self.path.lstrip("/").partition("/")
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length) if length else None
                connection = http.client.HTTPConnection(targets[side], timeout=30)
                try:
                    connection.request(self.command, "/" + rest, body, dict(self.headers))
                    answer = connection.getresponse()
                    content = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    connection.close()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = forward

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def skewguard_calls(plan, env):
    """The library in a program that stays: one call at a time."""
    program = subprocess.Popen([CALLS_ON_DEMAND], env=env, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    start = time.monotonic()
    for i in range(plan["calls"]):
        time.sleep(max(0.0, start + i * plan["every"] - time.monotonic()))
        program.stdin.write(b"1 GET /api/v2/tokens/me\n")
        program.stdin.flush()
        size = int(program.stdout.readline())
        report = json.loads(program.stdout.read(size))
        program.stdout.readline()
        yield report.get("http_status") or 0
    program.stdin.close()
    program.wait(10)


def driver_calls(command):
    def calls(plan, env):
        done = subprocess.run(command, env=env, cwd=HERE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=600)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        yield from (line["status"] for line in lines)
        yield from [0] * (plan["calls"] - len(lines))  # it died of it
    return calls


def clients():
    return {
        "skewguard": skewguard_calls,
        "openid-client": driver_calls([node(), "openid_client.mjs"]),
        "oauth4webapi": driver_calls([node(), "oauth4webapi_client.mjs"]),
        "Genesys SDK": driver_calls([node(), "genesys_sdk.mjs"]),
        "authlib": driver_calls([PYTHON, "authlib_client.py"]),
        "requests-oauthlib": driver_calls([PYTHON, "requests_oauthlib_client.py"]),
        "curl": driver_calls(["./curl_loop.sh"]),
    }


class WallClock:
    """The local wall clock of one client: an offset, and the steps of a scenario at their times."""

    def __init__(self, scenario, start_offset):
        self.file = tempfile.NamedTemporaryFile()
        self.offset = start_offset
        self.write()
        self.timers = [threading.Timer(seconds(e["at"]), self.step, [seconds(e["wall_step"])])
                       for e in scenario.get("event", []) if "wall_step" in e]

    def write(self):
        self.file.seek(0)
        self.file.write(struct.pack("=q", int(self.offset * 1e9)))
        self.file.flush()

    def step(self, by):
        self.offset += by
        self.write()

    def start(self):
        for timer in self.timers:
            timer.start()

    def stop(self):
        for timer in self.timers:
            timer.cancel()
        self.file.close()


def play(path, scenario, calls, preload):
    """One client through one scenario."""
    client = scenario.get("client", {})
    plan = {"calls": client.get("calls", 10), "every": seconds(client.get("every", "1s"))}
    emulator = Emulator("--scenario", str(path), secret=SECRET)
    gateway = Gateway(emulator.login, emulator.api)
    wall = WallClock(scenario, seconds(client.get("wall_offset", "0s")))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GENESYS", "SKEWGUARD_"))}
    env.update(GENESYS_CLOUD_CLIENT_ID=CLIENT, GENESYS_CLOUD_CLIENT_SECRET=SECRET,
               SKEWGUARD_LOGIN_URL=emulator.login, SKEWGUARD_API_URL=emulator.api,
               SKEWGUARD_TOKEN_STORE="none", OAUTHLIB_INSECURE_TRANSPORT="1",
               AUTHLIB_INSECURE_TRANSPORT="1", BENCH_GATEWAY_URL=gateway.url,
               BENCH_CALLS=str(plan["calls"]), BENCH_EVERY_MS=str(int(plan["every"] * 1000)),
               LD_PRELOAD=preload, SKEWGUARD_TEST_WALL_FILE=wall.file.name)
    try:
        wall.start()
        statuses = list(calls(plan, env))
        stats = emulator.stats()
    finally:
        wall.stop()
        gateway.stop()
        emulator.stop()
    return {"calls": len(statuses),
            "failures": sum(1 for s in statuses if not 200 <= s < 300),
            "token_requests": stats["token_requests"]["total"],
            "refused": stats["api_requests"]["by_status"].get("401", 0)}


def playable(scenario):
    local = [e for e in scenario.get("event", []) if e.get("order") == "local"]
    return (scenario.get("client", {}).get("callers", 1) == 1 and
            not any(key in e for e in local for key in ("suspend", "stand_still")))


def cell(result):
    return f"{result['failures']} / {result['token_requests']}"


def main():
    wanted = {name.upper() for name in sys.argv[1:]}
    install()
    scenarios = []
    for path in sorted((ROOT / "scenarios").glob("*.toml")):
        scenario = tomllib.loads(path.read_text(encoding="utf-8"))
        if (not wanted or scenario["id"].upper() in wanted) and playable(scenario):
            scenarios.append((path, scenario))
    everyone = clients()
    totals = {name: {"failures": 0, "token_requests": 0} for name in everyone}
    print(f"failures that reached the caller / token requests, by {len(scenarios)} scenarios\n")
    print("| scenario | calls | unavoidable | " + " | ".join(everyone) + " |")
    print("| --- | ---: | ---: |" + " ---: |" * len(everyone))
    avoidable = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(everyone)) as pool:
        preload = build_preload(folder)
        for path, scenario in scenarios:
            futures = {name: pool.submit(play, path, scenario, calls, preload)
                       for name, calls in everyone.items()}
            results = {name: future.result() for name, future in futures.items()}
            expected = scenario.get("expect", {}).get("failures", 0)
            avoidable += max(0, results["skewguard"]["failures"] - expected)
            for name, result in results.items():
                totals[name]["failures"] += result["failures"]
                totals[name]["token_requests"] += result["token_requests"]
            print(f"| {scenario['id']} {scenario['title']} | {results['skewguard']['calls']} "
                  f"| {expected} | " + " | ".join(cell(r) for r in results.values()) + " |",
                  flush=True)
    print("| all | | | " + " | ".join(cell(t) for t in totals.values()) + " |")
    print(f"\navoidable failures of skewguard: {avoidable}")
    sys.exit(1 if avoidable else 0)


if __name__ == "__main__":
    main()
