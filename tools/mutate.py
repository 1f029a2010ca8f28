#!/usr/bin/env python3
"""Plants small bugs one at a time and asks the tests to find them.

    tools/mutate.py [--count N] [--seed S] [--in TEXT] [--results FILE]
    tools/mutate.py --self-test   shows what it plants and what it leaves alone

A bug (a mutant) is one changed operator, constant or sign, or one dropped statement, in the pure
folders (tools/layers.py) or in src/runtime; `--in` keeps those whose path contains TEXT. SEED
decides which N are planted. Each is built and tested in build/mutate, in a copy of this tree: the
tests of the same name first, then those of the folder, then those of the folders above it, the
whole suite last. The first failure kills the mutant and ends its tests. One that does not compile
is replaced by the next.

Each outcome is written to the results file (default build/mutate/results.jsonl) at once. A run
with the same seed goes on where the last one stopped; survivors are tried again. A mutant that
cannot change what the program does stands with its reason in tools/equivalent_mutants.txt.

Exit status: 0 if every mutant is dead or equivalent, 1 if one survived, 2 if the tests fail
without any mutant.
"""

import argparse
import hashlib
import json
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import layers
import tidy_test

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutate"
TREE = WORK / "tree"
BUILD = TREE / "build" / "dev"
EQUIVALENT = ROOT / "tools" / "equivalent_mutants.txt"
HUNG_FACTOR = 20  # a mutant may loop for ever: so many times what its tests take without it
HUNG_LEAST_S = 120

SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||",
         "||": "&&", "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "+=": "-=", "-=": "+="}
# The formatter puts a blank on both sides of a binary operator, on one side of `T&&` and `T*`, and
# on none of a template's brackets.
OPERATOR = re.compile(r"(?<= )(" + "|".join(
    re.escape(o) for o in sorted(SWAPS, key=len, reverse=True)) + r")(?= |$)")
NUMBER = re.compile(r"(?<![\w.'])(\d+)(?![\w.'])")
BOOLEAN = re.compile(r"\b(true|false)\b")
SIGN = re.compile(r"(?<=[(,={:?\s])(?<!\w )-(?=[\w(])|(?<=return )-(?=[\w(])|!(?=[\w(])")
DIVISION = re.compile(r" / \w+(?:\{\w+\})?")
STATEMENT = re.compile(r"^\s+(?!return\b|using\b|const\b|constexpr\b|static|auto\b|case\b|default\b"
                       r"|break\b|continue\b|else\b|friend\b|public\b|private\b|typedef\b|struct\b"
                       r"|class\b|enum\b|goto\b|throw\b|namespace\b|extern\b|virtual\b|\[\[)"
                       r"(?:if \(.*\) )?[\w*(!+\-~:].*;$")
EARLY_RETURN = re.compile(r"^\s+if \(.*\) (?:return\b.*|continue|break);$")
STATEMENT_BEFORE = re.compile(r"[;{}:]$|^$|\)$")


@dataclass(frozen=True)
class Mutant:
    """One line of one file, changed."""
    file: str
    line: int
    kind: str
    before: str
    after: str

    @property
    def name(self):
        """Stays the same while the line does, wherever it moves."""
        text = f"{self.file}|{self.before.strip()}|{self.after.strip()}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def __str__(self):
        after = self.after.strip() or "(dropped)"
        return f"{self.file}:{self.line}: {self.kind}\n    - {self.before.strip()}\n    + {after}"


def changes(code):
    """(kind, line after) of each mutant of a line; `code` has blanks for comments and quotes, so
    positions are those of the text."""
    for match in OPERATOR.finditer(code):
        if match.group(1) not in ("+", "+=") or '"' not in code:  # texts cannot be subtracted
            yield "operator", match.span(), SWAPS[match.group(1)]
    for match in DIVISION.finditer(code):
        yield "operator", match.span(), ""
    for match in NUMBER.finditer(code):
        yield "constant", match.span(), str(int(match.group(1)) + 1)
    for match in BOOLEAN.finditer(code):
        yield "constant", match.span(), {"true": "false", "false": "true"}[match.group(1)]
    for match in SIGN.finditer(code):
        yield "sign", match.span(), ""


def droppable(code, before):
    """Whether a line is one whole statement: balanced, and begun on this line."""
    if code.count("(") != code.count(")") or code.count("{") != code.count("}"):
        return False
    whole = EARLY_RETURN.match(code) or STATEMENT.match(code)
    return bool(whole and STATEMENT_BEFORE.search(before.strip()))


def mutants_of(name, text):
    lines, found, before = text.split("\n"), [], ""
    for number, code in enumerate(tidy_test.strip(text).split("\n"), 1):
        line = lines[number - 1]
        if code.strip() and not code.lstrip().startswith(("#", "static_assert")):
            for kind, (start, end), new in changes(code):
                found.append(Mutant(name, number, kind, line, line[:start] + new + line[end:]))
            if not name.endswith(".hpp") and droppable(code, before):  # there, declarations
                found.append(Mutant(name, number, "statement", line, ""))
        if code.strip():
            before = code
    return found


def all_mutants(root, only):
    found, names = [], set()
    for folder in sorted(layers.PURE | {"runtime"}):
        for path in sorted((root / "src" / folder).glob("*.[ch]pp")):
            name = str(path.relative_to(root))
            if only not in name:
                continue
            for mutant in mutants_of(name, path.read_text(encoding="utf-8")):
                if mutant.name not in names:  # the same line twice in a file: once will do
                    names.add(mutant.name)
                    found.append(mutant)
    return found


def distance(upper, lower):
    """How many arrows lead from a folder down to another; None where none does."""
    ring, steps = {upper}, 0
    while ring:
        if lower in ring:
            return steps
        ring, steps = {below for folder in ring for below in layers.ARROWS[folder]}, steps + 1
    return None


def test_programs(root, folder):
    """The test programs that may notice a change in a folder: nearest first, slow ones last."""
    found = []
    for cmake in sorted((root / "tests").glob("**/CMakeLists.txt")):
        text = cmake.read_text(encoding="utf-8")
        for call in re.findall(r"skewguard_test\(([^)]*)\)", text):
            name = call.split()[0]
            depends = re.search(r"\bDEPENDS ([\w\s]+?)(?:$|\s[A-Z])", call + " END ")
            tops = depends.group(1).split() if depends else []
            tops = [top.removesuffix("_fast") for top in tops]
            far = [distance(top, folder) for top in tops if top in layers.ARROWS]
            far = [steps for steps in far if steps is not None]
            if far:
                slow = "LABELS property" in call or "simulation" in name
                found.append((slow, min(far), name))
    return [name for _, _, name in sorted(found)]


def suites_of(root, file):
    """The tests in the file that bears a source file's name, as a filter; empty: there is none."""
    path = root / "tests" / "unit" / Path(file).parent.relative_to("src")
    names = set()
    for test in path.glob(f"{Path(file).stem}*_test.cpp"):
        text = test.read_text(encoding="utf-8")
        names |= set(re.findall(r"^TEST(?:_[FP])?\((\w+),", text, re.MULTILINE))
    return ":".join(f"{name}.*:*/{name}.*" for name in sorted(names))


class Laboratory:
    """The copy of the tree, built; a mutant is put in, tested and taken out again."""

    def __init__(self):
        self.took = {}

    def set_up(self):
        names = tidy_test.files(ROOT)
        wanted = set(names)
        for path in [p for p in TREE.rglob("*") if p.is_file() and BUILD not in p.parents]:
            if str(path.relative_to(TREE)) not in wanted:
                path.unlink()
        for name in names:
            source, copy = ROOT / name, TREE / name
            if not copy.is_file() or copy.read_bytes() != source.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(source.read_bytes())
                copy.chmod(source.stat().st_mode)
        return self.run(["cmake", "--preset", "dev"]) and self.build()

    @staticmethod
    def run(command, limit=None):
        try:
            with (WORK / "last.log").open("w", encoding="utf-8") as log:
                return subprocess.run(command, cwd=TREE, stdout=log, stderr=log,
                                      stdin=subprocess.DEVNULL, timeout=limit).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def build(self, *targets):
        return self.run(["cmake", "--build", "--preset", "dev",
                         *(["--target", *targets] if targets else [])])

    @staticmethod
    def program(name):
        """Where a test program is; None in a build that has none of this name."""
        return next((p for p in BUILD.glob(f"tests/**/{name}") if p.is_file()), None)

    def passes(self, name, pattern="*"):
        """Whether the tests of a program pass; how long they take unharmed is learned first."""
        limit = max(HUNG_LEAST_S, HUNG_FACTOR * self.took.get((name, pattern), 0))
        start = time.monotonic()
        well = self.run([str(self.program(name)), "--gtest_brief=1", "--gtest_fail_fast",
                         f"--gtest_filter={pattern}"], limit)
        self.took.setdefault((name, pattern), time.monotonic() - start)
        return well

    def suite(self):
        return self.run(["ctest", "--preset", "dev", "-j", "2", "--stop-on-failure",
                         "-LE", "tools|compile_fail"])

    def outcome(self, mutant):
        """`killed by WHAT`, `survived`, or `invalid` where it does not compile."""
        path = TREE / mutant.file
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        lines[mutant.line - 1] = mutant.after
        path.write_text("\n".join(lines), encoding="utf-8")
        try:
            return self.tried(mutant)
        finally:
            path.write_text(text, encoding="utf-8")

    def tried(self, mutant):
        folder = Path(mutant.file).parts[1]
        if not self.build(f"skewguard_{folder}"):
            return "invalid"
        near = suites_of(TREE, mutant.file)
        for name in test_programs(TREE, folder):
            if self.program(name) is None:
                continue
            if not self.build(name):
                return "invalid"  # a header that others cannot be built with
            if near and name.startswith(folder) and not self.passes(name, near):
                return f"killed by {name}, its own tests"
            if not self.passes(name):
                return f"killed by {name}"
        if not self.build():
            return "invalid"
        return "survived" if self.suite() else "killed by the whole suite"


def equivalents():
    """file|before|after of each mutant that changes nothing, as the list has them."""
    found = set()
    for line in EQUIVALENT.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            parts = [part.strip() for part in line.split(" | ")]
            if len(parts) != 4:
                sys.exit(f"{EQUIVALENT.name}: not FILE | BEFORE | AFTER | WHY: {line}")
            found.add(tuple("" if part == "(dropped)" else part for part in parts[:3]))
    return found


def known(results):
    """name -> outcome of earlier runs, survivors left out."""
    if not results.is_file():
        return {}
    told = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {t["name"]: t["outcome"] for t in told if t["outcome"] != "survived"}


def table(outcomes):
    """Markdown: how many of each folder were planted, killed, equivalent, survived."""
    rows = ["| folder | planted | killed | equivalent | survived |",
            "| --- | --- | --- | --- | --- |"]
    folders = sorted({Path(m.file).parts[1] for m in outcomes}) + ["all"]
    for folder in folders:
        mine = [o for m, o in outcomes.items() if folder in ("all", Path(m.file).parts[1])]
        killed = sum(o.startswith("killed") for o in mine)
        rows.append(f"| {folder} | {len(mine)} | {killed} | {mine.count('equivalent')} "
                    f"| {mine.count('survived')} |")
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--in", dest="only", default="")
    parser.add_argument("--results", type=Path, default=WORK / "results.jsonl")
    parser.add_argument("--self-test", action="store_true")
    with_ = parser.parse_args()
    if with_.self_test:
        self_test()
        return
    drawn = all_mutants(ROOT, with_.only)
    print(f"{len(drawn)} mutants in all; {with_.count} are planted, seed {with_.seed}", flush=True)
    random.Random(with_.seed).shuffle(drawn)
    WORK.mkdir(parents=True, exist_ok=True)
    laboratory = Laboratory()
    if not laboratory.set_up() or not laboratory.suite():
        print((WORK / "last.log").read_text(encoding="utf-8")[-8000:])
        print("the tests fail without any mutant")
        sys.exit(2)
    before, same, outcomes = known(with_.results), equivalents(), {}
    for mutant in drawn:
        if len(outcomes) == with_.count:
            break
        start = time.monotonic()
        if (mutant.file, mutant.before.strip(), mutant.after.strip()) in same:
            outcome = "equivalent"
        else:
            outcome = before.get(mutant.name) or laboratory.outcome(mutant)
        if mutant.name not in before:
            with with_.results.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"name": mutant.name, "outcome": outcome,
                                      "mutant": str(mutant)}) + "\n")
        print(f"{time.monotonic() - start:5.0f} s  {outcome}: {mutant}", flush=True)
        if outcome != "invalid":
            outcomes[mutant] = outcome
    print("\n" + table(outcomes))
    survivors = [m for m, o in outcomes.items() if o == "survived"]
    print("\n" + "\n".join(f"survived: {m}" for m in survivors))
    print(f"{len(outcomes) - len(survivors)} passed, {len(survivors)} failed")
    sys.exit(1 if survivors or len(outcomes) < with_.count else 0)


SAMPLE = """\
#include <a>
// x < 3; a comment
static_assert(1 < 2);
int f(int&& a, std::vector<int>& b) {
  log("1 < 2");
  if (a <= 7 && !b.empty()) return -a;
  b.push_back(a / 2);
  const auto c = true;
  return wide(
      a);
}
"""
EXPECTED = """\
6 operator   if (a < 7 && !b.empty()) return -a;
6 operator   if (a <= 7 || !b.empty()) return -a;
6 constant   if (a <= 8 && !b.empty()) return -a;
6 sign   if (a <= 7 && b.empty()) return -a;
6 sign   if (a <= 7 && !b.empty()) return a;
6 statement
5 statement
7 operator   b.push_back(a * 2);
7 operator   b.push_back(a);
7 constant   b.push_back(a / 3);
7 statement
8 constant   const auto c = false;
"""


def self_test():
    found = sorted(f"{m.line} {m.kind} {m.after}".rstrip() for m in mutants_of("a.cpp", SAMPLE))
    expected = sorted(EXPECTED.splitlines())
    if found != expected:
        missing, extra = set(expected) - set(found), set(found) - set(expected)
        sys.exit(f"self-test: not planted: {sorted(missing)}; planted too: {sorted(extra)}")
    near = test_programs(ROOT, "guard")
    if not near or not near[0].startswith("guard") or "oauth_test" in near:
        sys.exit(f"self-test: the tests of guard are {near}")
    equivalents()
    print(f"mutate: self-test of {len(found)} mutants ok")


if __name__ == "__main__":
    main()
