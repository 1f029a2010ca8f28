"""Makes the calls of one run at their times and prints one JSON line for each. Once it is imported,
the program is ready, and is told where the servers are."""

import json
import os
import sys
import time

print("ready", flush=True)
LOGIN, API = sys.stdin.readline().split()[:2]
LOGIN, API = LOGIN + "/oauth/token", API + "/api/v2/tokens/me"
CLIENT = os.environ["GENESYS_CLOUD_CLIENT_ID"]
SECRET = os.environ["GENESYS_CLOUD_CLIENT_SECRET"]


def make_calls(call):
    """`call` makes one API request and returns its status; it may raise."""
    count, every = int(os.environ["BENCH_CALLS"]), float(os.environ["BENCH_EVERY_MS"]) / 1000
    start = time.monotonic()
    for i in range(count):
        time.sleep(max(0.0, start + i * every - time.monotonic()))
        status, error = 0, None
        try:
            status = call()
        except Exception as problem:  # noqa: BLE001: whatever reaches the caller is a failure
            error = f"{type(problem).__name__}: {problem}"[:200]
        print(json.dumps({"status": status, "error": error}), flush=True)
