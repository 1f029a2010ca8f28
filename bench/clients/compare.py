#!/usr/bin/env python3
"""The same scenarios against skewguard and against clients that people really use, unmodified.

    bench/clients/compare.py [--long] [--at-once N] [--earlier FILE] [SCENARIO ...]

Plays scenarios/*.toml and tests/cases/*.toml (or those named: C3 T1) with every client, each with
an emulator of its own, and prints a table: failures that reached the caller, token requests, calls
that the API refused. Below it stand the rows in which another client had fewer failures than
skewguard, and, with --earlier, those in which skewguard made more token requests than in that
file's table. --long adds L1, a quarter of an hour of nothing, beside the others. What is missing is
installed. The program is $SKEWGUARD, else build/release/skewguard. Exit status 1: more calls of
skewguard failed than a scenario expects.

A wall clock that steps and a machine that is suspended or stopped are played by a preload that
moves CLOCK_REALTIME and CLOCK_BOOTTIME of a running program (tests/preload/wallclock.c).
"""

import argparse
import http.client
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
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
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("GENESYS", "SKEWGUARD_"))}
AT_ONCE = 6  # scenarios, of seven clients each: they mostly wait
LONG = "L1"
PATIENCE = 120  # seconds that a client may take beyond the last call's time
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    """A duration of a scenario file."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return float(number) * UNITS[text[len(number):] or "s"]


def install():
    subprocess.run([str(ROOT / "tools" / "install.sh"), "check", "bench"], check=True)
    subprocess.run(["npm", "ci", "--prefix", str(HERE), "--ignore-scripts", "--prefer-offline"],
                   check=True, stdout=subprocess.DEVNULL)


def node():
    """Node 22 from npm where it is there: Debian's is too old for some of them."""
    for binary in sorted(HERE.glob("node_modules/node-linux-*/bin/node")):
        return str(binary)
    return "node"


class Clocks:
    """By how much the clocks of one program differ from this machine's, in seconds."""

    def __init__(self, preload, wall=0.0):
        self.file = tempfile.NamedTemporaryFile()
        self.wall, self.boot = wall, 0.0
        self.env = {"LD_PRELOAD": preload, "SKEWGUARD_TEST_WALL_FILE": self.file.name}
        self.move()

    def move(self, wall=0.0, boot=0.0):
        self.wall += wall
        self.boot += boot
        self.file.seek(0)
        self.file.write(struct.pack("=qq", int(self.wall * 1e9), int(self.boot * 1e9)))
        self.file.flush()


class Fate:
    """What befalls the client's machine: the local events of a scenario. They come before the call
    of the same time: one under way would miss its deadline while the machine sleeps."""

    EARLY = 0.2  # seconds

    def __init__(self, scenario, client, servers):
        self.client, self.servers = client, servers
        events = defaultdict(list)
        for event in scenario.get("event", []):
            if event.get("order") == "local":
                events[seconds(event["at"])].append(event)
        self.timers = [threading.Timer(max(0.0, at - Fate.EARLY), self.happen, [all_of])
                       for at, all_of in events.items()]

    def happen(self, events):
        stopped = suspended = stepped = 0.0
        for event in events:
            suspended += seconds(event.get("suspend", "0s"))
            stopped += seconds(event.get("stand_still", "0s"))
            stepped += seconds(event.get("wall_step", "0s"))
        # True time, which is the servers', passes through all of it.
        self.servers.move(suspended + stopped, suspended + stopped)
        self.client.move(suspended + stepped, suspended)

    def begin(self):
        for timer in self.timers:
            timer.start()

    def end(self):
        for timer in self.timers:
            timer.cancel()


class Servers(Emulator):
    """An emulator with clocks of its own."""

    starting = threading.Lock()  # it takes the environment of this process

    def __init__(self, clocks, *flags):
        with Servers.starting:
            os.environ.update(clocks.env)
            try:
                super().__init__(*flags, secret=SECRET)
            finally:
                for name in clocks.env:
                    del os.environ[name]


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


class Skewguard:
    """The library in a program that stays: one call at a time."""

    def start(self, plan, env):
        self.plan, self.env = plan, env

    def statuses(self, urls):
        env = self.env | {"SKEWGUARD_LOGIN_URL": urls[0], "SKEWGUARD_API_URL": urls[1]}
        with subprocess.Popen([CALLS_ON_DEMAND], env=env, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as program:
            start = time.monotonic()
            for i in range(self.plan["calls"]):
                time.sleep(max(0.0, start + i * self.plan["every"] - time.monotonic()))
                program.stdin.write(b"1 GET /api/v2/tokens/me\n")
                program.stdin.flush()
                report = json.loads(program.stdout.read(int(program.stdout.readline())))
                program.stdout.readline()
                yield report["http_status"] if report["exit_code"] == 0 else 0


class Driver:
    """Another client in a program that says when it is ready, is told where the servers are, and
    prints a line for each call."""

    def __init__(self, *command):
        self.command = command

    def start(self, plan, env):
        self.plan = plan
        self.process = subprocess.Popen(self.command, env=env, cwd=HERE, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self.command} did not start")

    def statuses(self, urls):
        process, calls = self.process, self.plan["calls"]
        limit = threading.Timer(calls * self.plan["every"] + PATIENCE, process.kill)
        limit.start()
        try:
            with process:
                process.stdin.write(" ".join(urls) + "\n")
                process.stdin.flush()
                lines = [json.loads(line) for line in process.stdout]
        finally:
            limit.cancel()
        yield from (line["status"] for line in lines)
        yield from [0] * (calls - len(lines))  # it died of it


def clients():
    return {
        "skewguard": Skewguard,
        "openid-client": lambda: Driver(node(), "openid_client.mjs"),
        "oauth4webapi": lambda: Driver(node(), "oauth4webapi_client.mjs"),
        "Genesys SDK": lambda: Driver(node(), "genesys_sdk.mjs"),
        "authlib": lambda: Driver(PYTHON, "authlib_client.py"),
        "requests-oauthlib": lambda: Driver(PYTHON, "requests_oauthlib_client.py"),
        "curl": lambda: Driver("./curl_loop.sh"),
    }


def judge(statuses, stats):
    asked = stats["token_requests"]["by_outcome"]
    return {"calls": len(statuses),
            "failures": sum(1 for s in statuses if not 200 <= s < 300),
            # HEAD and GET of its path carry no credentials: looks at the host's clock.
            "token_requests": sum(asked.values()) - asked.get("method_not_allowed", 0),
            "refused": stats["api_requests"]["by_status"].get("401", 0),
            "asked_at": [r["at_s"] for r in stats["recent"] if r["host"] == "login" and
                         r["method"] == "POST" and r["path"] == "/oauth/token"]}


def play(path, scenario, client, preload):
    """One client through one scenario, which begins when the client is ready."""
    wanted = scenario.get("client", {})
    plan = {"calls": wanted.get("calls", 10), "every": seconds(wanted.get("every", "1s"))}
    clocks = Clocks(preload, seconds(wanted.get("wall_offset", "0s")))
    env = ENVIRONMENT | clocks.env | {
        "GENESYS_CLOUD_CLIENT_ID": CLIENT, "GENESYS_CLOUD_CLIENT_SECRET": SECRET,
        "SKEWGUARD_TOKEN_STORE": "none", "OAUTHLIB_INSECURE_TRANSPORT": "1",
        "AUTHLIB_INSECURE_TRANSPORT": "1", "BENCH_CALLS": str(plan["calls"]),
        "BENCH_EVERY_MS": str(int(plan["every"] * 1000))}
    client.start(plan, env)
    true_clocks = Clocks(preload)
    emulator = Servers(true_clocks, "--scenario", str(path))
    fate = Fate(scenario, clocks, true_clocks)
    gateway = Gateway(emulator.login, emulator.api)
    try:
        fate.begin()
        statuses = list(client.statuses([emulator.login, emulator.api, gateway.url]))
        return judge(statuses, emulator.stats())
    finally:
        fate.end()
        gateway.stop()
        emulator.stop()


def play_all(path, scenario, preload):
    everyone = clients()
    with ThreadPoolExecutor(len(everyone)) as pool:
        futures = {name: pool.submit(play, path, scenario, client(), preload)
                   for name, client in everyone.items()}
        return {name: future.result() for name, future in futures.items()}


def order(scenario):
    """C9 before C10, A4 before A4b."""
    letter, number, rest = re.fullmatch(r"([A-Z]+)(\d+)(.*)", scenario["id"]).groups()
    return letter, int(number), rest


def choose(wanted, with_long):
    """(path, scenario) of those to play, in order. The clients make one call at a time."""
    found = []
    for path in [*(ROOT / "scenarios").glob("*.toml"), *(ROOT / "tests/cases").glob("*.toml")]:
        scenario = tomllib.loads(path.read_text(encoding="utf-8"))
        if scenario.get("client", {}).get("callers", 1) > 1:
            continue
        name = scenario["id"].upper()
        if name in wanted or (not wanted and name != LONG) or (with_long and name == LONG):
            found.append((path, scenario))
    return sorted(found, key=lambda one: order(one[1]))


def length(scenario):
    client = scenario.get("client", {})
    return client.get("calls", 10) * seconds(client.get("every", "1s"))


def play_scenarios(scenarios, at_once):
    """The results of each, in order. The longest begin first."""
    start, results = time.monotonic(), {}
    if any(scenario["id"] == LONG for _, scenario in scenarios):
        at_once += 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_once) as pool:
        preload = build_preload(folder)
        futures = {pool.submit(play_all, path, scenario, preload): scenario["id"]
                   for path, scenario in sorted(scenarios, key=lambda one: -length(one[1]))}
        for future in as_completed(futures):
            results[futures[future]] = future.result()
            print(f"{futures[future]}: {len(results)} of {len(scenarios)}, "
                  f"{time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return [(scenario, results[scenario["id"]]) for _, scenario in scenarios]


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def cell(result):
    return f"{result['failures']} / {result['token_requests']} / {result['refused']}"


def beyond(scenario, result):
    """Failures that the scenario does not expect; one that expects nothing judges nobody."""
    return max(0, result["failures"] - scenario.get("expect", {}).get("failures", result["calls"]))


def print_table(played):
    names = list(clients())
    print("failures that reached the caller / token requests / calls that the API refused (401)\n")
    print(row("scenario", "calls", "expected", *names))
    print(row("---", "---:", "---:", *["---:"] * len(names)))
    for scenario, results in played:
        print(row(f"{scenario['id']} {scenario['title']}", results["skewguard"]["calls"],
                  scenario.get("expect", {}).get("failures", "-"), *map(cell, results.values())))
    totals = [{key: sum(results[name][key] for _, results in played)
               for key in ("calls", "failures", "token_requests", "refused")} for name in names]
    expected = sum(scenario.get("expect", {}).get("failures", 0) for scenario, _ in played)
    print(row(f"all {len(played)}", totals[0]["calls"], expected, *map(cell, totals)))
    print(row("failures beyond the expected", "", "", *avoidable(played).values()))


def earlier_requests(path):
    """Token requests of skewguard by scenario, from a table that this program printed."""
    rows = re.findall(r"^\| ([A-Z]+\d+[a-z]?) [^|]*\|[^|]*\|[^|]*\| \d+ / (\d+) / \d+ \|",
                      Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return {scenario: int(requests) for scenario, requests in rows}


def print_remarks(played, earlier):
    for scenario, results in played:
        ours = results["skewguard"]
        better = [f"{name} {result['failures']}" for name, result in results.items()
                  if result["failures"] < ours["failures"]]
        if better:
            print(f"{scenario['id']}: skewguard {ours['failures']} failures, {', '.join(better)}")
        before = earlier.get(scenario["id"], ours["token_requests"])
        if ours["token_requests"] > before:
            print(f"{scenario['id']}: {ours['token_requests']} token requests, {before} earlier")


def avoidable(played):
    return {name: sum(beyond(scenario, results[name]) for scenario, results in played)
            for name in clients()}


def per_lifetime(times, lifetime):
    """Token requests in each lifetime, from the first to the last of them."""
    if len(times) < 2:
        return "-"
    return f"{(len(times) - 1) * lifetime / (times[-1] - times[0]):.3f}"


def print_steady(scenario, results):
    lifetime = seconds(scenario["servers"]["lifetime"])
    print(f"\n{scenario['id']} {scenario['title']}: {length(scenario) / lifetime:.1f} lifetimes of "
          f"{lifetime:.0f} s\n")
    print(row("", *results))
    print(row("---", *["---:"] * len(results)))
    print(row("token requests", *(r["token_requests"] for r in results.values())))
    print(row("for each lifetime",
              *(per_lifetime(r["asked_at"], lifetime) for r in results.values())))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="C3 T1; none = all")
    parser.add_argument("--long", action="store_true", help=f"{LONG} too: a quarter of an hour")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N",
                        help=f"scenarios, of seven clients each; default {AT_ONCE}")
    parser.add_argument("--earlier", metavar="FILE", help="docs/guide/comparison.md, say")
    arguments = parser.parse_args()
    scenarios = choose({name.upper() for name in arguments.scenarios}, arguments.long)
    if not scenarios:
        parser.error("none of scenarios/ has such a name")
    earlier = earlier_requests(arguments.earlier) if arguments.earlier else {}
    install()
    played = play_scenarios(scenarios, arguments.at_once)
    print_table(played)
    print_remarks(played, earlier)
    for scenario, results in played:
        if scenario["id"] == LONG:
            print_steady(scenario, results)
    sys.exit(1 if avoidable(played)["skewguard"] else 0)


if __name__ == "__main__":
    main()
