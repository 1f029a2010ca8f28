#!/usr/bin/python3
"""What skewguard.httpx.Auth costs on the happy path, in processor time of the whole process.

    PYTHONPATH=build/release/python bench/python_auth.py [--rounds 40] [--requests 500] [--count]

Two httpx clients on a MockTransport, which answers at once: one with Auth, one with an auth that
sets a fixed header. Rounds of either take turns; the medians are compared. The token comes from
`skewguard emulate`. `--count`: counts the futex calls of a round with strace, and prints no times.
Its answers have no Date: that is handed to the library's thread, four times a second at most.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path

import httpx
import skewguard
from skewguard.testing import Emulator

LIMIT_US = 15.0
ME = "/api/v2/tokens/me"
MARK = "bench-python-auth"


class Fixed(httpx.Auth):
    """What a program without any care for tokens does."""

    def sync_auth_flow(self, request):
        request.headers["Authorization"] = "Bearer fixed"
        yield request


def answer(request):
    """An answer of the platform, with its usual fields."""
    response = answer_without_date(request)
    response.headers["Date"] = formatdate(usegmt=True)
    return response


def answer_without_date(request):
    """The same, of which the library's thread is told nothing."""
    return httpx.Response(200, headers={
        "Content-Type": "application/json",
        "Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache",
        "Inin-Correlation-Id": "6b1b2a5e-0f0e-4a5d-8f6c-1d7c3a7d9a10", "Via": "1.1 gateway",
        "Inin-Ratelimit-Count": "1", "Inin-Ratelimit-Allowed": "300",
        "Inin-Ratelimit-Reset": "60"}, content=b'{"ok":true}')


def round_of(http, url, requests):
    """Processor time of one request, in microseconds."""
    start = time.process_time()
    for _ in range(requests):
        http.get(url)
    return (time.process_time() - start) / requests * 1e6


def clients(emulator, answers=answer):
    """(with Auth, with a fixed header), warmed up."""
    client = skewguard.Client(**emulator.settings)
    client.token()
    transport = httpx.MockTransport(answers)
    both = (httpx.Client(transport=transport, auth=skewguard.httpx.Auth(client)),
            httpx.Client(transport=transport, auth=Fixed()))
    for http in both:
        round_of(http, emulator.api_url + ME, 200)
    return both


def measure(emulator, rounds, requests):
    """Prints the medians; 1 if the limit is exceeded."""
    ours, fixed = clients(emulator)
    times = {ours: [], fixed: []}
    for _ in range(rounds):
        for http, found in times.items():
            found.append(round_of(http, emulator.api_url + ME, requests))
    medians = [statistics.median(times[http]) for http in (ours, fixed)]
    more = medians[0] - medians[1]
    print(f"with Auth {medians[0]:.1f} us, with a fixed header {medians[1]:.1f} us: "
          f"{more:.1f} us more (limit {LIMIT_US:.0f} us)")
    return int(more > LIMIT_US)


def counted(url, requests):
    """What --count runs under strace: the marks are failing opens."""
    emulator = argparse.Namespace(**{"settings": {}, "api_url": url})
    ours, _ = clients(emulator, answer_without_date)
    for mark in ("begin", "end"):
        if mark == "end":
            round_of(ours, url + ME, requests)
        try:
            os.stat(f"/{MARK}/{mark}")
        except FileNotFoundError:
            pass


def count(emulator, requests):
    """Prints the futex calls of a round; 1 if there are any."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=futex,%file", sys.executable,
                        __file__, "--counted", emulator.api_url, "--requests", str(requests)],
                       check=True, env={**os.environ, **emulator.environment})
        lines = trace.read_text(encoding="utf-8").splitlines()
    [begin], [end] = ([at for at, line in enumerate(lines) if f"{MARK}/{mark}" in line]
                      for mark in ("begin", "end"))
    thread = lines[begin].split()[0]
    futex = [line for line in lines[begin:end]
             if line.split()[0] == thread and re.search(r"\bfutex\(", line)]
    print(f"{len(futex)} futex calls of the caller's thread in {requests} requests")
    return int(bool(futex))


def main():
    """Exits with 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--counted", metavar="URL")
    options = parser.parse_args()
    if options.counted:
        counted(options.counted, options.requests)
        return
    with Emulator() as emulator:
        sys.exit(count(emulator, options.requests) if options.count else
                 measure(emulator, options.rounds, options.requests))


if __name__ == "__main__":
    main()
