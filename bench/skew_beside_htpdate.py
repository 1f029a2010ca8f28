#!/usr/bin/env python3
"""`skewguard skew` beside Debian's `htpdate`, on loopback, in one run: how far each is off.

    SKEWGUARD=build/release/skewguard bench/skew_beside_htpdate.py [--short] [--offsets 20]

For each offset, drawn at random, an nginx and a Node server are started whose wall clocks are moved
by it (tests/preload/wallclock.c), and each is measured with 16 probes, by htpdate at its best
precision, and nginx with 40 probes too. Two offsets at a time, of both servers. An error is the
estimate minus the offset.

Fails where an error is above what stands in LIMITS, a measurement took more requests or time, or an
offset is outside the bounds that were given for it.
"""

import argparse
import http.client
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Optional

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import SKEWGUARD, build_preload  # noqa: E402

PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NGINX, HTPDATE, NODE = (shutil.which(name, path=PATHS) for name in ("nginx", "htpdate", "node"))
NO_NTP = "127.0.0.1:1"  # refuses at once

NGINX_CONF = """
env LD_PRELOAD;
env SKEWGUARD_TEST_WALL_OFFSET;
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  keepalive_timeout 60;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "here"; }} }}
}}
"""
NODE_SERVER = """
require('http').createServer({keepAliveTimeout: 60000}, (_, answer) => answer.end('here'))
  .listen(Number(process.argv[1]), '127.0.0.1');
"""


class Limit(NamedTuple):
    """Milliseconds, requests, seconds."""
    median: float
    worst: Optional[float]
    requests: int
    seconds: float


# What counts against the seconds is the measurement: a process beside it takes its time to start.
LIMITS = {("nginx", "skew 16"): Limit(0.5, 1.0, 16, 6.5),
          ("node", "skew 16"): Limit(1.0, 2.5, 16, 6.5),
          ("nginx", "skew 40"): Limit(0.2, None, 40, 12.5)}


class Measured(NamedTuple):
    error_ms: float
    requests: int
    seconds: float
    inside: Optional[bool] = None  # of the bounds given
    width_ms: float = 0


class Server:
    """Of one kind, with a wall clock that is `offset` seconds ahead."""

    def __init__(self, kind, offset, preload, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        if kind == "nginx":
            place = Path(tempfile.mkdtemp(dir=folder))
            (place / "nginx.conf").write_text(NGINX_CONF.format(folder=place, port=port))
            command = [NGINX, "-p", str(place), "-c", str(place / "nginx.conf"), "-e", "stderr"]
        else:
            command = [NODE, "-e", NODE_SERVER, str(port)]
        env = dict(os.environ, LD_PRELOAD=preload, SKEWGUARD_TEST_WALL_OFFSET=repr(offset))
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}/"
        self.wait_until_it_answers(port)

    def wait_until_it_answers(self, port):
        end = time.monotonic() + 20
        while True:
            try:
                asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                asking.request("HEAD", "/")
                asking.getresponse().read()
                return asking.close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("a server did not start") from None
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def run(command):
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done, time.monotonic() - start


def by_skew(url, offset, probes):
    done, took = run([SKEWGUARD, "skew", "--json", "--probes", str(probes), "--ntp", NO_NTP, url])
    if done.returncode not in (0, 4):
        raise RuntimeError(f"skew failed: {done.stderr}")
    told = json.loads(done.stdout)["servers"][0]
    low, high = told["offset_low_s"], told["offset_high_s"]
    return Measured((told["offset_s"] - offset) * 1000, told["requests"], took,
                    low <= offset <= high, (high - low) * 1000)


def by_htpdate(url, offset):
    done, took = run([HTPDATE, "-q", "-n", "-t", "-d", "-p", "9", url])
    found = re.search(r"^offset: (-?[0-9.]+)", done.stdout + done.stderr, re.M)
    if not found:
        raise RuntimeError(f"htpdate found nothing: {done.stdout} {done.stderr}")
    requests = len(re.findall(r" GMT \(", done.stdout + done.stderr))
    return Measured((float(found.group(1)) - offset) * 1000, requests, took)


def measure(kind, offset, preload, folder):
    """By the name of what measured it."""
    server = Server(kind, offset, preload, folder)
    try:
        told = {"skew 16": by_skew(server.url, offset, 16),
                "htpdate": by_htpdate(server.url, offset)}
        if kind == "nginx":
            told["skew 40"] = by_skew(server.url, offset, 40)
        return told
    finally:
        server.stop()


def tell(kind, name, all_measured):
    """Whether the limits hold."""
    limit = LIMITS.get((kind, name))
    errors = sorted(abs(m.error_ms) for m in all_measured)
    requests = max(m.requests for m in all_measured)
    seconds = max(m.seconds for m in all_measured)
    text = (f"{kind:5}  {name:7}  error median {statistics.median(errors):6.2f} ms, worst "
            f"{errors[-1]:6.2f} ms; {requests:2} requests, {seconds:4.1f} s")
    broken = []
    if limit:
        outside = sum(not m.inside for m in all_measured)
        text += (f"; bounds {statistics.median(m.width_ms for m in all_measured):.1f} ms wide, "
                 f"{len(errors) - outside} of {len(errors)} inside")
        broken = [what for what, bad in (
            ("median", statistics.median(errors) > limit.median),
            ("worst", limit.worst is not None and errors[-1] > limit.worst),
            ("requests", requests > limit.requests), ("seconds", seconds > limit.seconds),
            ("bounds", outside > 0)) if bad]
    print(text + (f"  OVER THE LIMIT: {', '.join(broken)}" if broken else ""), flush=True)
    return not broken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--offsets", type=int, default=20)
    parser.add_argument("--short", action="store_true", help="four offsets")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--each", action="store_true", help="print each error")
    options = parser.parse_args()
    for name, found in (("nginx", NGINX), ("htpdate", HTPDATE), ("node", NODE)):
        if not found:
            sys.exit(f"{name} is not installed; see tools/packages.txt")
    drawn = random.Random(options.seed)
    offsets = [round(drawn.uniform(-5, 5), 6) for _ in range(4 if options.short else
                                                             options.offsets)]
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as lanes:
        preload = build_preload(folder)
        jobs = [(kind, lanes.submit(measure, kind, offset, preload, folder))
                for offset in offsets for kind in ("nginx", "node")]
        told = [(kind, job.result()) for kind, job in jobs]
    kept = True
    for kind, name in (("nginx", "skew 16"), ("nginx", "skew 40"), ("nginx", "htpdate"),
                       ("node", "skew 16"), ("node", "htpdate")):
        measured = [each[name] for of, each in told if of == kind]
        kept &= tell(kind, name, measured)
        if options.each:
            print("  " + " ".join(f"{m.error_ms:+.2f}" for m in measured))
    print(f"{len(offsets)} offsets, seed {options.seed}, load {before:.1f} to "
          f"{os.getloadavg()[0]:.1f}")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
