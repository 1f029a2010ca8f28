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
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import CALLS_ON_DEMAND, build_preload  # noqa: E402
from play import PYTHON, Driver, play, seconds  # noqa: E402

AT_ONCE = 6  # scenarios, of seven clients each: they mostly wait
LONG = "L1"


def install():
    subprocess.run([str(ROOT / "tools" / "install.sh"), "check", "bench"], check=True)
    subprocess.run(["npm", "ci", "--prefix", str(HERE), "--ignore-scripts", "--prefer-offline"],
                   check=True, stdout=subprocess.DEVNULL)


def node():
    """Node 22 from npm where it is there: Debian's is too old for some of them."""
    for binary in sorted(HERE.glob("node_modules/node-linux-*/bin/node")):
        return str(binary)
    return "node"


class Skewguard:
    """The library in a program that stays: one call at a time."""

    def start(self, plan, env):
        self.plan, self.env = plan, env

    def calls_made(self, urls):
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
                yield {"status": report["http_status"] if report["exit_code"] == 0 else 0}


def clients():
    return {
        "skewguard": Skewguard,
        "openid-client": lambda: Driver(node(), HERE / "openid_client.mjs"),
        "oauth4webapi": lambda: Driver(node(), HERE / "oauth4webapi_client.mjs"),
        "Genesys SDK": lambda: Driver(node(), HERE / "genesys_sdk.mjs"),
        "authlib": lambda: Driver(PYTHON, HERE / "authlib_client.py"),
        "requests-oauthlib": lambda: Driver(PYTHON, HERE / "requests_oauthlib_client.py"),
        "curl": lambda: Driver(HERE / "curl_loop.sh"),
    }


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
