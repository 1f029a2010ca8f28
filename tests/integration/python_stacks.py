"""Programs over Python's HTTP stacks, each in some of the scenarios."""

import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor

from harness import ROOT, build_preload
from play import PYTHON, Driver, play

# The usual wrapper fails in some of these, and nobody does in the others.
USUAL_FAILS = ("C3", "C10c", "V1", "V1c", "T1d")
NOBODY_FAILS = ("C1", "C6", "T1", "T2")
# How many calls at a time, at least. Ours over urllib3 is a plain guard.
STACKS = {"httpx": 1, "httpx-async": 50, "requests": 1, "urllib3": 1, "sdk": 1}
MOST_CALLERS = 100  # of the thousand of T2, whose token lives for 4 s
AT_ONCE = 8


def client(kind, stack):
    """The "usual" wrapper over a stack, or "our" adapter for it."""
    return Driver(PYTHON, ROOT / f"tests/python/{kind}_client.py", stack,
                  at_least=STACKS[stack], at_most=MOST_CALLERS)


def scenarios(ids):
    """(path, scenario) of these, in their order."""
    found = {}
    for path in (ROOT / "scenarios").glob("*.toml"):
        scenario = tomllib.loads(path.read_text(encoding="utf-8"))
        found[scenario["id"]] = path, scenario
    return [found[one] for one in ids]


def play_all(kind, ids):
    """{(id, stack): what came of it} of the "usual" or "our" client over each stack, in each of
    these scenarios."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        preload = build_preload(folder)
        futures = {(scenario["id"], stack): pool.submit(play, path, scenario, client(kind, stack),
                                                        preload)
                   for path, scenario in scenarios(ids) for stack in STACKS}
        return {which: future.result() for which, future in futures.items()}
