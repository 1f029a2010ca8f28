#!/usr/bin/env python3
"""How many tokens a hundred processes ask for that share a file store: at most 1.05 a lifetime.

    SKEWGUARD=build/release/skewguard bench/store_processes.py
        [--processes 100] [--lifetimes 20] [--lifetime 300] [--speed 20] [--held]

Each process calls, waits a while and calls again: a new `skewguard call` each time, or with --held
one program that keeps its client (examples/calls_on_demand.cpp). A token's last seconds are not
used, so a lifetime must be one of the platform's (300 s and more) for the figure to say anything;
to see many of them, all clocks of the emulator and of the processes run --speed times as fast
(tests/preload/wallclock.c). To them the machine is slower by as much, and timers come later: that
makes the figure worse, not better.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
import harness  # noqa: E402
from harness import CALLS_ON_DEMAND, SKEWGUARD  # noqa: E402

MOST_RATIO = 1.05
PAUSE_S = 3.0  # between two calls of a process, real, half to one and a half


class Process(threading.Thread):
    """One of them, from its place in the first pause to `end`."""

    def __init__(self, env, end, held):
        super().__init__()
        self.env, self.end, self.held = env, end, held
        self.took, self.failures = [], []

    def run(self):
        program = self.start_held() if self.held else None
        time.sleep(random.uniform(0, PAUSE_S))
        while time.monotonic() < self.end:
            begin = time.monotonic()
            failure = self.call(program)
            self.took.append(time.monotonic() - begin)
            if failure:
                self.failures.append(failure)
            time.sleep(random.uniform(0.5, 1.5) * PAUSE_S)
        if program:
            program.communicate(timeout=30)

    def start_held(self):
        return subprocess.Popen([CALLS_ON_DEMAND], env=self.env, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def call(self, program):
        if program is None:
            done = subprocess.run([SKEWGUARD, "call", "GET", "/api/v2/tokens/me"], env=self.env,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
            return done.stderr if done.returncode or done.stderr else None
        program.stdin.write(b"1 GET /api/v2/tokens/me\n")
        program.stdin.flush()
        report = program.stdout.read(int(program.stdout.readline())).decode()
        program.stdout.readline()
        return None if '"verdict":"ok"' in report.replace(" ", "") else report


def run(options, folder):
    clocks = {"SKEWGUARD_TEST_SPEED": str(options.speed),
              "LD_PRELOAD": harness.build_preload(folder)} if options.speed != 1 else {}
    emulator = harness.Emulator("--lifetime", f"{options.lifetime}s", env=clocks)
    try:
        env = dict(os.environ, GENESYS_CLOUD_CLIENT_ID=harness.CLIENT,
                   GENESYS_CLOUD_CLIENT_SECRET=harness.SECRET, SKEWGUARD_LOGIN_URL=emulator.login,
                   SKEWGUARD_API_URL=emulator.api, SKEWGUARD_TOKEN_STORE=f"file:{folder}/store",
                   **clocks)
        span = options.lifetimes * options.lifetime / options.speed
        end = time.monotonic() + span
        processes = [Process(env, end, options.held) for _ in range(options.processes)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        return processes, emulator.stats()
    finally:
        emulator.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=100)
    parser.add_argument("--lifetimes", type=int, default=20)
    parser.add_argument("--lifetime", type=int, default=300, help="seconds, by the hosts' clocks")
    parser.add_argument("--speed", type=int, default=20)
    parser.add_argument("--held", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        processes, stats = run(options, folder)
    took = [t for process in processes for t in process.took]
    failures = [f for process in processes for f in process.failures]
    requests = stats["token_requests"]["total"]
    refused = sum(n for status, n in stats["api_requests"]["by_status"].items() if status != "200")
    ratio = requests / options.lifetimes
    print(f"{options.processes} processes, {len(took)} calls in {options.lifetimes} lifetimes of "
          f"{options.lifetime} s at {options.speed} times the speed: {requests} token requests, "
          f"{ratio:.3f} a lifetime; {refused} answers refused, {len(failures)} calls failed or had "
          f"something to say; a call took {statistics.median(took) * 1000:.0f} ms (median), at "
          f"most {max(took) * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}")
    for failure in failures[:5]:
        print(failure.strip(), file=sys.stderr)
    sys.exit(0 if ratio <= MOST_RATIO and not failures else 1)


if __name__ == "__main__":
    main()
