"""Makes the calls of one run at their times and prints one JSON line for each. Once it is imported,
the program is ready, and is told where the servers are."""

import asyncio
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

print("ready", flush=True)
LOGIN_URL, API_URL, GATEWAY_URL = sys.stdin.readline().split()
LOGIN, API = LOGIN_URL + "/oauth/token", API_URL + "/api/v2/tokens/me"
CLIENT = os.environ["GENESYS_CLOUD_CLIENT_ID"]
SECRET = os.environ["GENESYS_CLOUD_CLIENT_SECRET"]
CALLS, EVERY = int(os.environ["BENCH_CALLS"]), float(os.environ["BENCH_EVERY_MS"]) / 1000
CALLERS = int(os.environ["BENCH_CALLERS"])  # so many calls at a time
START = time.monotonic()


def until(i):
    """Seconds from now until the calls number i."""
    return max(0.0, START + i * EVERY - time.monotonic())


def tell(status, began, problem=None):
    error = f"{type(problem).__name__}: {problem}"[:200] if problem else None
    return json.dumps({"status": status, "error": error, "seconds": time.monotonic() - began})


def make_calls(call):
    """`call` makes one API request and returns its status; it may raise. Each of several callers
    has a thread."""
    def make_one():
        began = time.monotonic()
        try:
            return tell(call(), began)
        except Exception as problem:  # noqa: BLE001: whatever reaches the caller is a failure
            return tell(0, began, problem)

    with ThreadPoolExecutor(CALLERS) as pool:
        for i in range(CALLS):
            time.sleep(until(i))
            for made in [pool.submit(make_one) for _ in range(CALLERS)]:
                print(made.result(), flush=True)


async def make_async_calls(call):
    """The same with a coroutine function, in one thread."""
    async def make_one():
        began = time.monotonic()
        try:
            return tell(await call(), began)
        except Exception as problem:  # noqa: BLE001
            return tell(0, began, problem)

    for i in range(CALLS):
        await asyncio.sleep(until(i))
        print(*await asyncio.gather(*(make_one() for _ in range(CALLERS))), sep="\n", flush=True)
