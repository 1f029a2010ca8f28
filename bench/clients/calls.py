"""Makes the calls of one run at their times and prints one JSON line for each."""

import json
import os
import time


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


LOGIN = os.environ["SKEWGUARD_LOGIN_URL"] + "/oauth/token"
API = os.environ["SKEWGUARD_API_URL"] + "/api/v2/tokens/me"
CLIENT = os.environ["GENESYS_CLOUD_CLIENT_ID"]
SECRET = os.environ["GENESYS_CLOUD_CLIENT_SECRET"]
