#!/usr/bin/env python3
"""Checks that each row of the scenario table has tests, as docs/guide/scenarios.md says.

    tools/rows.py [ROOT]       exit 1 and one line for each row, name or file that is wrong
    tools/rows.py --self-test  shows that each rule can fail
"""

import re
import sys
import tempfile
import tomllib
from pathlib import Path

GUIDE = "docs/guide/scenarios.md"
ROWS = ([f"C{n}" for n in range(1, 22)] + [f"T{n}" for n in range(1, 13)]
        + [f"A{n}" for n in range(1, 10)])
LATER = "with `doctor`"  # a row, or a part of it, that only that command shows
WHOLE_CLIENT = ("tests/simulation/", "tests/machine/")

TABLE_ROW = re.compile(r"^\|([^|]*)\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
NAME = re.compile(r"`([^`]+)`")
GTEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
METHOD = re.compile(r"^ +def (test_\w+)\(", re.MULTILINE)


def read(path):
    return path.read_text(encoding="utf-8")


def table(text):
    """(row, situation, tests) of each line of the table but its head."""
    rows = [[cell.strip() for cell in match.groups()] for match in TABLE_ROW.finditer(text)]
    return [row for row in rows if row[0] != "row" and not re.fullmatch(r":?-+:?", row[0])]


def known_tests(root):
    """Each test's name, and whether the whole client or program runs in it."""
    known = {}
    for path in (root / "tests").rglob("*.cpp"):
        whole = path.relative_to(root).as_posix().startswith(WHOLE_CLIENT)
        for suite, name in GTEST.findall(read(path)):
            known[f"{suite}.{name}"] = whole or known.get(f"{suite}.{name}", False)
    for path in (root / "tests/integration").glob("test_*.py"):
        known.update({f"{path.stem}.{name}": True for name in METHOD.findall(read(path))})
    return known


def scenario_ids(root):
    return {f"scenarios/{path.name}": tomllib.loads(read(path)).get("id", "")
            for path in (root / "scenarios").glob("*.toml")}


def check_list(rows):
    """The fixed list, in its order; no row twice."""
    found = [row for row, _, _ in rows]
    for row in sorted(set(found)):
        if found.count(row) > 1:
            yield f"{row}: is there {found.count(row)} times"
    for row in ROWS:
        if row not in found:
            yield f"{row}: has no line in the table"
    ours = [row for row in found if row in ROWS]
    if ours != sorted(ours, key=ROWS.index):
        yield "the rows are not in order"


def check_row(row, tests, known, ids):
    names = NAME.findall(tests.replace(LATER, ""))
    for name in names:
        if name not in known and name not in ids:
            yield f"{row}: there is no {name}"
        if name in ids and not re.fullmatch(row + "[a-z]?", ids[name]):
            yield f"{row}: {name} is {ids[name] or 'without an id'}"
    if LATER in tests:
        return
    if not names:
        yield f"{row}: has no test"
    elif not any(name in ids or known.get(name) for name in names):
        yield f"{row}: has no test of the whole client"


def check(root):
    """One message for each broken rule under `root`."""
    rows = table(read(root / GUIDE))
    known, ids = known_tests(root), scenario_ids(root)
    problems = list(check_list(rows))
    for row, _, tests in rows:
        problems += check_row(row, tests, known, ids)
    said = {name for _, _, tests in rows for name in NAME.findall(tests)}
    problems += [f"{name}: no row names it" for name in sorted(ids) if name not in said]
    return [f"{GUIDE}: {problem}" for problem in problems]


# A tree that keeps the rules, and what breaks each of them: (before, after, complaint).
SAMPLE_FILES = {
    "tests/simulation/x_test.cpp": "TEST_P(Scenario, Whole) {\n}\n",
    "tests/unit/x_test.cpp": "TEST(Part,\n     Alone) {\n}\nTEST_F(Part, Two) {\n}\n",
    "tests/integration/test_x.py": "class X:\n    def test_y(self):\n        pass\n",
    "scenarios/c10_x.toml": 'id = "C10"\n',
    "scenarios/c10b_x.toml": 'id = "C10b"\n',
    "scenarios/v1_x.toml": 'id = "V1"\n',
}
SAMPLE_LINES = {row: f"| {row} | x | `Scenario.Whole` `Part.Alone` |" for row in ROWS} | {
    "C10": "| C10 | x | `scenarios/c10_x.toml` `scenarios/c10b_x.toml` |",
    "C12": "| C12 | x | with `doctor` |",
    "T2": "| T2 | x | `test_x.test_y` |",
    "V1": "| V1 | x | `scenarios/v1_x.toml` |",
}
SAMPLE_FAULTS = [
    ("| T3 |", "| T33 |", "T3: has no line in the table"),
    ("| T3 |", "| T4 |", "T4: is there 2 times"),
    ("| V1 |", "| C1 |", "C1: is there 2 times"),
    ("| C3 | x | `Scenario.Whole` `Part.Alone` |\n| C4 |",
     "| C4 | x | `Scenario.Whole` `Part.Alone` |\n| C3 |", "the rows are not in order"),
    ("with `doctor`", "later", "C12: has no test"),
    ("`test_x.test_y`", "`Part.Two`", "T2: has no test of the whole client"),
    ("`test_x.test_y`", "`test_x.test_z`", "T2: there is no test_x.test_z"),
    ("| A1 | x | `Scenario.Whole`", "| A1 | x | `Scenario.Whol`", "A1: there is no Scenario.Whol"),
    ("`scenarios/v1_x.toml`", "`scenarios/v2_x.toml`", "V1: there is no scenarios/v2_x.toml"),
    ("`scenarios/c10b_x.toml`", "", "scenarios/c10b_x.toml: no row names it"),
    ("| C1 | x |", "| C1 | x | `scenarios/c10b_x.toml` ", "C1: scenarios/c10b_x.toml is C10b"),
]


def self_test():
    lines = "\n".join(SAMPLE_LINES.values())
    guide = f"# x\n\n| row | situation | tests |\n| --- | --- | --- |\n{lines}\n"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in SAMPLE_FILES.items() | {(GUIDE, guide)}:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        if problems := check(root):
            sys.exit(f"self-test: nothing is wrong, but: {problems}")
        for before, after, expected in SAMPLE_FAULTS:
            wrong = guide.replace(before, after, 1)
            (root / GUIDE).write_text(wrong, encoding="utf-8")
            if wrong == guide or not any(expected in p for p in check(root)):
                sys.exit(f"self-test: {before} -> {after}: '{expected}' expected, "
                         f"found {check(root)}")
    print(f"rows: self-test of {len(SAMPLE_FAULTS)} faults ok")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = check(root)
    print("\n".join(problems) if problems else "rows: each row of the scenario table has its tests")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
