#!/usr/bin/env python3
"""The package `skewguard` over Python's HTTP stacks beside the usual wrapper, in some scenarios.

    bench/clients/compare_python.py [SCENARIO ...]

Prints a table: failures that reached the caller / token requests. The usual wrapper keeps its token
until a 401, then requests a new one and tries once more (tests/python/usual.py). The asynchronous
client makes 50 calls at a time, and of T2's thousand callers there are 100. The program is
$SKEWGUARD, else build/release/skewguard.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
import python_stacks  # noqa: E402


def row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def main():
    ids = sys.argv[1:] or python_stacks.USUAL_FAILS + python_stacks.NOBODY_FAILS
    ours, usual = python_stacks.play_all("our", ids), python_stacks.play_all("usual", ids)
    stacks = list(python_stacks.STACKS)
    print(row("scenario", *(f"{kind}, {stack}" for stack in stacks for kind in ("usual", "ours"))))
    print(row("---", *["---:"] * 2 * len(stacks)))
    for _, scenario in python_stacks.scenarios(ids):
        cells = [f"{one['failures']} / {one['token_requests']}" for stack in stacks
                 for one in (usual[scenario["id"], stack], ours[scenario["id"], stack])]
        print(row(f"{scenario['id']} {scenario['title']}", *cells))


if __name__ == "__main__":
    main()
