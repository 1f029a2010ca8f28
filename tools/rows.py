#!/usr/bin/env python3
"""Checks that each row of the scenario table has the tests listed in docs/guide/scenarios.md.

    tools/rows.py [ROOT]       exit 1 and one line for each row, name or file that is wrong
    tools/rows.py --self-test  shows that each rule can fail
"""

import ast
import re
import tomllib

import script

GUIDE = "docs/guide/scenarios.md"
ROWS = ([f"C{n}" for n in range(1, 28)] + [f"T{n}" for n in range(1, 16)]
        + [f"A{n}" for n in range(1, 13)])
WHOLE_CLIENT = ("tests/simulation/", "tests/machine/")

EXPECT = ("verdicts", "failures", "most_token_requests", "exit_code")
# What a scenario cannot say beforehand, by its id.
UNSAID = {"T6e": {"verdicts"}}  # whether a token of a second is refused hangs on the second's phase

TABLE_ROW = re.compile(r"^\|([^|]*)\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
NAME = re.compile(r"`([^`]+)`")
GTEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
# Strings come before comments: what looks like a comment in a string is none.
CODE_OR_COMMENT = re.compile(
    r'''(R"(?P<mark>[^()\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'''
    r'''|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')|//[^\n]*|/\*.*?\*/''', re.DOTALL)
ROW_ID = re.compile(r"(?:^|_|(?<=[a-z]))([CTA]\d+)(?!\d)|(?:^|_)([cta]\d+)(?=_|$)")


def read(path):
    return path.read_text(encoding="utf-8")


def table(text):
    """(row, situation, tests) of each line of the table but its head."""
    rows = [[cell.strip() for cell in match.groups()] for match in TABLE_ROW.finditer(text)]
    return [row for row in rows if row[0] != "row" and not re.fullmatch(r":?-+:?", row[0])]


def compiled(text):
    """C++ without its comments and without what stands between #if 0 and its #else or #endif."""
    text = CODE_OR_COMMENT.sub(lambda match: match[1] or " ", text)
    kept, dead = [], []  # `dead`: of each #if that is open, whether its branch is left out
    for line in text.splitlines():
        word = re.match(r"\s*#\s*(if|else|elif|endif)(.*)", line)
        if word and word[1] == "if":
            dead.append(bool(re.fullmatch(r"\s+(0|false)\s*", word[2])))
        elif word and dead and word[1] == "endif":
            dead.pop()
        elif word and dead:
            dead[-1] = False
        elif not any(dead):
            kept.append(line)
    return "\n".join(kept)


def methods(text):
    """Names of the tests in the classes of a Python file."""
    return [item.name for top in ast.parse(text).body if isinstance(top, ast.ClassDef)
            for item in top.body
            if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")]


def rows_in(name):
    """The row that a test's name begins with, if one does, and all that it names."""
    own = name.split(".")[-1].removeprefix("test_")
    found = [(match.start(), (match[1] or match[2]).upper()) for match in ROW_ID.finditer(own)]
    found = [(at, row) for at, row in found if row in ROWS]
    first = found[0][1] if found and found[0][0] == 0 else None
    return first, {row for _, row in found}


def known_tests(root):
    """Each test's name, and whether the whole client or program runs in it."""
    known = {}
    for path in (root / "tests").rglob("*.cpp"):
        whole = path.relative_to(root).as_posix().startswith(WHOLE_CLIENT)
        for suite, name in GTEST.findall(compiled(read(path))):
            if "DISABLED_" in suite + name:
                continue
            known[f"{suite}.{name}"] = whole or known.get(f"{suite}.{name}", False)
    for path in (root / "tests/integration").glob("test_*.py"):
        known.update({f"{path.stem}.{name}": True for name in methods(read(path))})
    return known


def scenarios(root):
    return {f"scenarios/{path.name}": tomllib.loads(read(path))
            for path in (root / "scenarios").glob("*.toml")}


def check_expect(name, scenario):
    """It says all that a client comes to which does all right."""
    expect, unsaid = scenario.get("expect", {}), UNSAID.get(scenario.get("id"), set())
    for key in EXPECT:
        if key not in expect and key not in unsaid:
            yield f"{name}: [expect] has no {key}"
        if key in expect and key in unsaid:
            yield f"{name}: [expect] has {key}, of which tools/rows.py says that nobody can tell"


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
    names = NAME.findall(tests)
    for name in names:
        if name not in known and name not in ids:
            yield f"{row}: there is no {name}"
        if name in ids and not re.fullmatch(row + "[a-z]?", ids[name]):
            yield f"{row}: {name} is {ids[name] or 'without an id'}"
        first, all_named = (None, set()) if name in ids else rows_in(name)
        if first and row not in all_named:
            yield f"{row}: {name} is a test of {first}"
    whole = any(name in ids or known.get(name) for name in names)
    if not names:
        yield f"{row}: has no test"
    elif not whole:
        yield f"{row}: has no test of the whole client"


def check(root):
    """One message for each broken rule under `root`."""
    rows = table(read(root / GUIDE))
    known, files = known_tests(root), scenarios(root)
    ids = {name: scenario.get("id", "") for name, scenario in files.items()}
    problems = list(check_list(rows))
    for row, _, tests in rows:
        problems += check_row(row, tests, known, ids)
    said = {name for _, _, tests in rows for name in NAME.findall(tests)}
    problems += [f"{name}: no row names it" for name in sorted(ids) if name not in said]
    problems = [f"{GUIDE}: {problem}" for problem in problems]
    return problems + [problem for name in sorted(files)
                       for problem in check_expect(name, files[name])]


# A tree that keeps the rules, and what breaks each of them: (file, before, after, complaint).
SAMPLE_EXPECT = ("[expect]\nverdicts = []\nfailures = 0\nmost_token_requests = 1\n"
                 "exit_code = 0\n")
SIMULATED, UNIT, PYTHON = ("tests/simulation/x_test.cpp", "tests/unit/x_test.cpp",
                           "tests/integration/test_x.py")
SAMPLE_FILES = {
    SIMULATED: "TEST_P(Scenario, Whole) {\n}\n"
               "TEST_P(Scenario, T9Odd) {\n  f(\"http://x /*\", '\"', 1'000);\n}\n"
               "#ifdef X\n#if 0\nx\n#else\nTEST_P(Scenario, T10After) {\n}\n#endif\n#endif\n",
    UNIT: "TEST(Part,\n     Alone) {\n}\nTEST_F(Part, Two) {\n}\n",
    PYTHON: "class X:\n    def test_y(self):\n        pass\n\n"
            "    def test_c1_and_c2(self):\n        pass\n",
    "scenarios/c10_x.toml": 'id = "C10"\n' + SAMPLE_EXPECT,
    "scenarios/c10b_x.toml": 'id = "C10b"\n' + SAMPLE_EXPECT,
    "scenarios/t6e_x.toml": 'id = "T6e"\n' + SAMPLE_EXPECT.replace("verdicts = []\n", ""),
    "scenarios/v1_x.toml": 'id = "V1"\n' + SAMPLE_EXPECT,
}
SAMPLE_LINES = {row: f"| {row} | x | `Scenario.Whole` `Part.Alone` |" for row in ROWS} | {
    "C1": "| C1 | x | `Scenario.Whole` `test_x.test_c1_and_c2` |",
    "C2": "| C2 | x | `test_x.test_c1_and_c2` |",
    "C10": "| C10 | x | `scenarios/c10_x.toml` `scenarios/c10b_x.toml` |",
    "T2": "| T2 | x | `test_x.test_y` |",
    "T6": "| T6 | x | `scenarios/t6e_x.toml` |",
    "T9": "| T9 | x | `Scenario.T9Odd` |",
    "T10": "| T10 | x | `Scenario.T10After` |",
    "V1": "| V1 | x | `scenarios/v1_x.toml` |",
}
SAMPLE_FAULTS = [
    (GUIDE, "| T3 |", "| T33 |", "T3: has no line in the table"),
    (GUIDE, "| T3 |", "| T4 |", "T4: is there 2 times"),
    (GUIDE, "| V1 |", "| C1 |", "C1: is there 2 times"),
    (GUIDE, "| C3 | x | `Scenario.Whole` `Part.Alone` |\n| C4 |",
     "| C4 | x | `Scenario.Whole` `Part.Alone` |\n| C3 |", "the rows are not in order"),
    (GUIDE, "`test_x.test_y`", "a test of it", "T2: has no test"),
    (GUIDE, "`Scenario.Whole` `test_x.test_c1_and_c2`", "`Part.Two`",
     "C1: has no test of the whole client"),
    (GUIDE, "`test_x.test_y`", "`Part.Two`", "T2: has no test of the whole client"),
    (GUIDE, "`test_x.test_y`", "`test_x.test_z`", "T2: there is no test_x.test_z"),
    (GUIDE, "`test_x.test_y`", "`test_x.test_c1_and_c2`",
     "T2: test_x.test_c1_and_c2 is a test of C1"),
    (GUIDE, "`Scenario.T10After`", "`Scenario.T9Odd`", "T10: Scenario.T9Odd is a test of T9"),
    (GUIDE, "`scenarios/v1_x.toml`", "`Scenario.T9Odd`", "V1: Scenario.T9Odd is a test of T9"),
    (GUIDE, "| A1 | x | `Scenario.Whole`", "| A1 | x | `Scenario.Whol`",
     "A1: there is no Scenario.Whol"),
    (GUIDE, "`scenarios/v1_x.toml`", "`scenarios/v2_x.toml`",
     "V1: there is no scenarios/v2_x.toml"),
    (GUIDE, "`scenarios/c10b_x.toml`", "", "scenarios/c10b_x.toml: no row names it"),
    (GUIDE, "| C1 | x |", "| C1 | x | `scenarios/c10b_x.toml` ",
     "C1: scenarios/c10b_x.toml is C10b"),
    (SIMULATED, "TEST_P(Scenario, T9", "// TEST_P(Scenario, T9", "T9: there is no Scenario.T9Odd"),
    (SIMULATED, "TEST_P(Scenario, T9Odd) {\n", "/*\nTEST_P(Scenario, T9Odd) {\n*/",
     "T9: there is no Scenario.T9Odd"),
    (SIMULATED, "TEST_P(Scenario, T9", "#if 0\n#if X\n#endif\nTEST_P(Scenario, T9",
     "T9: there is no Scenario.T9Odd"),
    (SIMULATED, "T9Odd", "DISABLED_T9Odd", "T9: there is no Scenario.T9Odd"),
    (SIMULATED, "#else\n", "", "T10: there is no Scenario.T10After"),
    (PYTHON, "    def test_y(self):\n        pass", "    # def test_y(self):\n    x = 1",
     "T2: there is no test_x.test_y"),
    (PYTHON, "    def test_y(self):\n        pass", '    """\n    def test_y(self):\n    """',
     "T2: there is no test_x.test_y"),
    ("scenarios/v1_x.toml", "failures = 0\n", "", "v1_x.toml: [expect] has no failures"),
    ("scenarios/v1_x.toml", SAMPLE_EXPECT, "", "v1_x.toml: [expect] has no verdicts"),
    ("scenarios/t6e_x.toml", "exit_code", "verdicts = []\nexit_code",
     "t6e_x.toml: [expect] has verdicts"),
]


def self_test():
    lines = "\n".join(SAMPLE_LINES.values())
    guide = f"# x\n\n| row | situation | tests |\n| --- | --- | --- |\n{lines}\n"
    files = SAMPLE_FILES | {GUIDE: guide}
    script.find_faults(check, files, SAMPLE_FAULTS)
    print(f"rows: self-test of {len(SAMPLE_FAULTS)} faults ok")


if __name__ == "__main__":
    script.run(check, self_test, "rows: each row of the scenario table has its tests")
