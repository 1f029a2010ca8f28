#!/usr/bin/env python3
"""`skewguard call` as a whole process beside a shell script of two `curl` calls (token, then call),
on loopback, in turn, in one run.

    SKEWGUARD=build/release/skewguard bench/call_beside_curl.py [PAIRS]

Prints both medians and the median of the ratios pair by pair; fails where that is above 1.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import CLIENT, SECRET, SKEWGUARD, Emulator  # noqa: E402

SCRIPT = r"""
token=$(curl -sS -u "$GENESYS_CLOUD_CLIENT_ID:$GENESYS_CLOUD_CLIENT_SECRET" \
  -d grant_type=client_credentials "$SKEWGUARD_LOGIN_URL/oauth/token" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')
exec curl -sS -H "Authorization: Bearer $token" "$SKEWGUARD_API_URL/api/v2/tokens/me"
"""


def timed(command, env):
    start = time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, check=True)
    took = time.monotonic() - start
    if b'"organization"' not in done.stdout:
        raise RuntimeError(f"{command[0]} got no answer: {done.stdout!r} {done.stderr!r}")
    return took * 1000


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 41
    emulator = Emulator("--lifetime", "300s")
    try:
        env = dict(os.environ, GENESYS_CLOUD_CLIENT_ID=CLIENT, GENESYS_CLOUD_CLIENT_SECRET=SECRET,
                   SKEWGUARD_LOGIN_URL=emulator.login, SKEWGUARD_API_URL=emulator.api,
                   SKEWGUARD_TOKEN_STORE="none")
        ours = [SKEWGUARD, "call", "GET", "/api/v2/tokens/me"]
        theirs = ["/bin/sh", "-c", SCRIPT]
        timed(ours, env), timed(theirs, env)  # warm both
        both = [(timed(ours, env), timed(theirs, env)) for _ in range(pairs)]
    finally:
        emulator.stop()
    ratio = statistics.median(a / b for a, b in both)
    print(f"skewguard call: median {statistics.median(a for a, _ in both):.1f} ms")
    print(f"sh, curl, curl: median {statistics.median(b for _, b in both):.1f} ms")
    print(f"ratio, median of {pairs} pairs: {ratio:.2f}")
    sys.exit(0 if ratio <= 1 else 1)


if __name__ == "__main__":
    main()
