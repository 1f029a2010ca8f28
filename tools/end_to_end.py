#!/usr/bin/env python3
"""Runs every end-to-end test (tests/integration/test_*.py) against the program in $SKEWGUARD.

    SKEWGUARD=build/release/skewguard tools/end_to_end.py [NAME...]

Each file is a process of its own, a few at a time, since the tests mostly wait. A skipped test
is a failure: a party that is not there proves nothing. At the end stands, over all runs, what was
said of each failed answer beside the truth (tests/integration/truth.py). Failures are: a clock that
was blamed and is innocent, or of which nobody knows the truth; a wrong cure, by name or by what was
done; `unknown` where the evidence decided; a truth that was lost or is new to truth.py; a refusal
that no report mentions.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "integration"
sys.path.insert(0, str(FOLDER))
import truth  # noqa: E402
AT_ONCE = 4
# Begun first, so that nothing waits for them.
LONGEST = ("test_cases", "test_skew", "test_scenarios")
LIMIT_S = 1800  # a guard against a hang


def run(path):
    start = time.monotonic()
    try:
        done = subprocess.run([sys.executable, "-m", "unittest", "-v", path.stem], cwd=FOLDER,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S)
        output, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output, status = str(late.stdout) + f"\nno end after {LIMIT_S} s", 1
    return path.name, status, output, time.monotonic() - start


def count(output, status):
    """(passed, failed) as unittest's closing lines tell."""
    ran = re.search(r"^Ran (\d+) tests?", output, re.MULTILINE)
    total = int(ran.group(1)) if ran else 0
    bad = sum(int(n) for n in re.findall(r"(?:failures|errors|skipped)=(\d+)", output))
    if status != 0 or total == 0:
        bad = max(bad, 1)
    return max(total - bad, 0), bad


def main():
    program = Path(os.environ.get("SKEWGUARD", "build/release/skewguard")).resolve()
    os.environ["SKEWGUARD"] = str(program)
    files = sorted(FOLDER.glob("test_*.py"), key=lambda f: (f.stem not in LONGEST, f.stem))
    if len(sys.argv) > 1:
        files = [f for f in files if f.stem in sys.argv[1:]]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        os.environ["SKEWGUARD_TRUTH"] = folder
        for name, status, output, seconds in pool.map(run, files):
            good, bad = count(output, status)
            passed, failed = passed + good, failed + bad
            print(f"{name}: {good} passed, {bad} failed, {seconds:.0f} s", flush=True)
            if bad:
                print(output, flush=True)
        matrix = truth.read(folder)
    print(f"\n{matrix.text()}\n")
    failed += not matrix.sound or (not matrix.cells and len(sys.argv) == 1)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
