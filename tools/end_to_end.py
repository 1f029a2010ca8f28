#!/usr/bin/env python3
"""Runs every end-to-end test (tests/integration/test_*.py) against the program in $SKEWGUARD.

    SKEWGUARD=build/release/skewguard tools/end_to_end.py [NAME...]

Each file runs in its own process, and so does each test of the slowest files; several run at once,
since they mostly wait. A skipped test is a failure: a server that is not there proves nothing. At
the end the verdicts on all failed answers of all runs are compared with the truth
(tests/integration/truth.py). Failures are: blaming a clock that is right, or whose true time is
unknown; a wrong cure, in name or in action; `unknown` although the evidence was sufficient; a truth
that was lost or that truth.py does not know; a refusal that no report mentions.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "integration"
sys.path.insert(0, str(FOLDER))
import truth  # noqa: E402
AT_ONCE = 8
# These take over a minute each. Their tests start first and run one by one.
SLOWEST = ("test_faults", "test_cases", "test_skew", "test_scenarios", "test_python",
           "test_python_stacks")
LIMIT_S = 1800  # a guard against a hang


def tests_of(file):
    """The names of all tests of a file."""
    found = [unittest.defaultTestLoader.loadTestsFromName(file)]
    while any(isinstance(part, unittest.TestSuite) for part in found):
        found = [test for part in found
                 for test in (part if isinstance(part, unittest.TestSuite) else [part])]
    return [test.id() for test in found]


def run(name):
    """Runs one file or one test: (name, exit status, output, seconds)."""
    start = time.monotonic()
    try:
        done = subprocess.run([sys.executable, "-m", "unittest", "-v", name], cwd=FOLDER,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S)
        output, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output, status = str(late.stdout) + f"\nno end after {LIMIT_S} s", 1
    return name, status, output, time.monotonic() - start


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
    files = sorted(file.stem for file in FOLDER.glob("test_*.py"))
    if len(sys.argv) > 1:
        if unknown := set(sys.argv[1:]) - set(files):
            sys.exit(f"no such file in {FOLDER}: {' '.join(sorted(unknown))}")
        files = [file for file in files if file in sys.argv[1:]]
    names = [test for file in SLOWEST if file in files for test in tests_of(file)]
    names += [file for file in files if file not in SLOWEST]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        os.environ["SKEWGUARD_TRUTH"] = folder
        for name, status, output, seconds in pool.map(run, names):
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
