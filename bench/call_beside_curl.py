#!/usr/bin/env python3
"""`skewguard call` as a whole process beside `curl`, on loopback, in turn, in one run.

    SKEWGUARD=build/release/skewguard bench/call_beside_curl.py [PAIRS]

    without a token   beside a shell script of two `curl` calls (token, then call): at most 1
    with one, http    the token in the file store, beside one `curl` that is given it: at most 1.1
    with one, https   the same over TLS, both with --ca-file and --cacert: at most 1.1

Prints both medians, the median of the ratios pair by pair with its quartiles, and the ratio of the
processor times. Fails where a ratio is above what stands here. On a busy machine the ratio by the
clock tells who was interrupted more often: there the processor time alone counts.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import CLIENT, SECRET, SKEWGUARD, Emulator  # noqa: E402

QUIET = 0.2  # share of all processors that is idle: the commands run one at a time
PATH = "/api/v2/tokens/me"
SCRIPT = rf"""
token=$(curl -sS -u "$GENESYS_CLOUD_CLIENT_ID:$GENESYS_CLOUD_CLIENT_SECRET" \
  -d grant_type=client_credentials "$SKEWGUARD_LOGIN_URL/oauth/token" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')
exec curl -sS -H "Authorization: Bearer $token" "$SKEWGUARD_API_URL{PATH}"
"""


def timed(command, env):
    """Milliseconds: by the clock, and of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, check=True)
    took = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if b'"organization"' not in done.stdout:
        raise RuntimeError(f"{command[0]} got no answer: {done.stdout!r} {done.stderr!r}")
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took * 1000, worked * 1000


def pairs_of(ours, theirs, env, count):
    """What both took, each first in every other pair."""
    timed(ours, env), timed(theirs, env)  # warm both
    pairs = []
    for n in range(count):
        if n % 2:
            b, a = timed(theirs, env), timed(ours, env)
        else:
            a, b = timed(ours, env), timed(theirs, env)
        pairs.append((a, b))
    return pairs


def environment(emulator, store):
    return dict(os.environ, GENESYS_CLOUD_CLIENT_ID=CLIENT, GENESYS_CLOUD_CLIENT_SECRET=SECRET,
                SKEWGUARD_LOGIN_URL=emulator.login, SKEWGUARD_API_URL=emulator.api,
                SKEWGUARD_TOKEN_STORE=store)


def without_a_token(count):
    emulator = Emulator("--lifetime", "300s")
    try:
        return pairs_of([SKEWGUARD, "call", "GET", PATH], ["/bin/sh", "-c", SCRIPT],
                        environment(emulator, "none"), count)
    finally:
        emulator.stop()


def with_a_token(count, *flags):
    emulator = Emulator("--lifetime", "3600s", *flags)
    try:
        with tempfile.TemporaryDirectory() as folder:
            env = environment(emulator, f"file:{folder}/store")
            ca = emulator.said.get("ca")
            trust = (["--ca-file", ca], ["--cacert", ca]) if ca else ([], [])
            token = subprocess.run([SKEWGUARD, "token", *trust[0]], env=env, capture_output=True,
                                   check=True, text=True).stdout.strip()
            pairs = pairs_of([SKEWGUARD, "call", "GET", PATH, *trust[0]],
                             ["curl", "-sS", "-H", f"Authorization: Bearer {token}",
                              *trust[1], emulator.api + PATH], env, count)
        if emulator.token_requests() != 1:
            raise RuntimeError("the stored token was not used")
        return pairs
    finally:
        emulator.stop()


def processors():
    """Of all of them, since the machine started: idle time and all time."""
    with open("/proc/stat", encoding="ascii") as file:
        times = [int(time) for time in file.readline().split()[1:]]
    return times[3], sum(times)


def tell(name, measure, limit):
    """Whether it holds."""
    idle_before, all_before = processors()
    pairs = measure()
    idle_after, all_after = processors()
    idle = (idle_after - idle_before) / (all_after - all_before)
    low, ratio, high = statistics.quantiles((a[0] / b[0] for a, b in pairs), n=4)
    ours, theirs = (statistics.median(took for took, _ in one) for one in zip(*pairs))
    worked = sum(a[1] for a, _ in pairs) / sum(b[1] for _, b in pairs)
    print(f"{name:16} skewguard {ours:5.1f} ms, curl {theirs:5.1f} ms, ratio {ratio:.2f} "
          f"({low:.2f} to {high:.2f}), of processor time {worked:.2f}, at most {limit}, "
          f"{len(pairs)} pairs, machine {idle:.0%} idle", flush=True)
    return worked <= limit and (ratio <= limit or idle < QUIET)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 41
    kept = [tell("without a token", lambda: without_a_token(count), 1),
            tell("with one, http", lambda: with_a_token(count), 1.1),
            tell("with one, https", lambda: with_a_token(count, "--tls"), 1.1)]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
