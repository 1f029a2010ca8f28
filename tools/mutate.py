#!/usr/bin/env python3
"""Plants small bugs one at a time and checks that a test finds each.

    tools/mutate.py [--count N] [--seed S] [--in REGEX] [--near] [--results FILE]
    tools/mutate.py --self-test   shows which bugs it plants and which code it leaves alone

A bug (a mutant) is one changed operator, constant or sign, or one dropped statement, in the pure
folders (tools/layers.py), src/engine or src/runtime. `--in` keeps those whose path REGEX matches.
The seed orders all mutants and the first N are planted; editing one line does not change the order
of the others. A mutant that does not compile is replaced by the next.

Each mutant is built and tested in build/mutate, in a copy of this tree. The tests named after the
changed file run first, then the other tests of its folder, then those of the folders above,
farther and farther away; with `--near`, only the fast ones of its folder. The first failure kills
the mutant. Only the test programs that run are built; each must pass without a mutant first.

Each outcome is appended to the results file at once (default: build/mutate/results.jsonl). A run
with the same seed continues where the last one stopped and tries the survivors again. A mutant
that cannot change what the program does is listed with the reason in
tools/equivalent_mutants.txt.

Exit status: 0 if every mutant was killed or is equivalent, 1 if one survived, 2 if a test fails
without a mutant.
"""

import argparse
import hashlib
import json
import os
import re
import resource
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
BUILD = TREE / "build" / "mutate"
EQUIVALENT = ROOT / "tools" / "equivalent_mutants.txt"
# A mutant may loop forever, wait forever or fill the memory. Its tests may take this many times the
# CPU time and the elapsed time that they take without it, but at least these seconds, and use this
# many bytes.
HUNG_FACTOR = 20
HUNG_LEAST_CPU_S = 10
HUNG_LEAST_S = 120
MOST_MEMORY = 8 << 30

SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||",
         "||": "&&", "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "+=": "-=", "-=": "+="}
# The formatter puts spaces on both sides of a binary operator, on one side of `T&&` and `T*`, and
# around no template bracket.
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
    def change(self):
        """Stays the same while the code of the line does, wherever it moves."""
        return self.file, without_comment(self.before), without_comment(self.after)

    @property
    def name(self):
        return hashlib.sha256("|".join(self.change).encode()).hexdigest()[:12]

    def __str__(self):
        after = self.after.strip() or "(dropped)"
        return f"{self.file}:{self.line}: {self.kind}\n    - {self.before.strip()}\n    + {after}"


def without_comment(line):
    return line[:len(tidy_test.strip(line).rstrip())].strip()


def changes(code):
    """(kind, line after) of each mutant of a line. `code` has spaces in place of comments and
    strings, so positions are the same as in the text."""
    for match in OPERATOR.finditer(code):
        if match.group(1) not in ("+", "+=") or '"' not in code:  # strings cannot be subtracted
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
    """Whether a line is one whole statement: balanced, and it starts on this line."""
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


def folders():
    return sorted(layers.PURE | {"engine", "runtime"})


def all_mutants(root, only):
    found, names = [], set()
    for folder in folders():
        for path in sorted((root / "src" / folder).glob("*.[ch]pp")):
            name = str(path.relative_to(root))
            if not re.search(only, name):
                continue
            for mutant in mutants_of(name, path.read_text(encoding="utf-8")):
                if mutant.name not in names:  # the same line twice in a file: once will do
                    names.add(mutant.name)
                    found.append(mutant)
    return found


def in_order(mutants, seed):
    """Shuffled by the seed, each mutant independently of the others."""
    return sorted(mutants, key=lambda m: hashlib.sha256(f"{seed}|{m.name}".encode()).digest())


def distance(upper, lower):
    """How many arrows lead from a folder down to another; None where none does."""
    ring, steps = {upper}, 0
    while ring:
        if lower in ring:
            return steps
        ring, steps = {below for folder in ring for below in layers.ARROWS[folder]}, steps + 1
    return None


def test_programs(root, folder):
    """The test programs that may notice a change in a folder, nearest first.

    Each as (how many arrows away, whether it is slow, its name)."""
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
                found.append((min(far), slow, name))
    return sorted(found)


def own_tests(root, file):
    """The test programs and the filter for the tests named after a source file."""
    folder = root / "tests" / "unit" / Path(file).parent.relative_to("src")
    tests = sorted(folder.glob(f"{Path(file).stem}*_test.cpp"))
    suites = set()
    for test in tests:
        text = test.read_text(encoding="utf-8")
        suites |= set(re.findall(r"^TEST(?:_[FP])?\((\w+),", text, re.MULTILINE))
    if not suites:
        return []
    cmake = (folder / "CMakeLists.txt").read_text(encoding="utf-8")
    sources = "|".join(re.escape(test.name) for test in tests)
    programs = [call.split()[0] for call in re.findall(r"skewguard_test\(([^)]*)\)", cmake)
                if re.search(rf"\s({sources}|\$\{{)", call)]
    pattern = ":".join(f"{name}.*:*/{name}.*" for name in sorted(suites))
    return [(name, pattern, "its own tests") for name in programs]


class BrokenTests(Exception):
    """A test program does not build or pass without a mutant."""


def cpu_seconds():
    """Of all programs run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Laboratory:
    """A copy of the tree in which one mutant at a time is planted, tested and removed."""

    def __init__(self, near):
        self.near = near  # only the fast tests of a mutant's own folder
        self.took = {}  # (program, filter) -> (CPU seconds, seconds) without a mutant

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
        separate = "-DSKEWGUARD_SEPARATE=" + ";".join(folders())
        if not self.run(["cmake", "--preset", "mutate", separate]):
            raise BrokenTests("cmake")

    @staticmethod
    def run(command, limits=None):
        """Whether a command succeeds; limits are CPU seconds and seconds."""
        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (limits[0], limits[0]))
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        # What ccache must ignore to recognize a file compiled with precompiled headers.
        env = {"CCACHE_BASEDIR": str(TREE), "CCACHE_NOHASHDIR": "1",
               "CCACHE_SLOPPINESS": "pch_defines,time_macros", **os.environ}
        try:
            with (WORK / "last.log").open("w", encoding="utf-8") as log:
                return subprocess.run(command, cwd=TREE, stdout=log, stderr=log, env=env,
                                      stdin=subprocess.DEVNULL, timeout=limits and limits[1],
                                      preexec_fn=limits and limit).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def build(self, target):
        return self.run(["cmake", "--build", "--preset", "mutate", "--target", target])

    def test(self, name, pattern, limits):
        program = next(p for p in BUILD.glob(f"tests/**/{name}") if p.is_file())
        return self.run([str(program), "--gtest_brief=1", "--gtest_fail_fast",
                         f"--gtest_filter={pattern}"], limits)

    def prepare(self, name, pattern):
        """Builds and runs tests without a mutant: they must pass, and their time is noted."""
        if (name, pattern) in self.took:
            return
        if not self.build(name):
            raise BrokenTests(name)
        start, cpu = time.monotonic(), cpu_seconds()
        if not self.test(name, pattern, None):
            raise BrokenTests(name)
        self.took[name, pattern] = cpu_seconds() - cpu, time.monotonic() - start

    def passes(self, name, pattern):
        cpu, wall = self.took[name, pattern]
        return self.test(name, pattern, (int(max(HUNG_LEAST_CPU_S, HUNG_FACTOR * cpu)),
                                         max(HUNG_LEAST_S, HUNG_FACTOR * wall)))

    def outcome(self, mutant):
        """`killed by WHAT`, `survived`, or `invalid` if it does not compile."""
        path = TREE / mutant.file
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        lines[mutant.line - 1] = mutant.after
        mutated = "\n".join(lines)
        folder = Path(mutant.file).parts[1]
        tests = own_tests(TREE, mutant.file)
        tests += [(name, "*", name) for arrows, slow, name in test_programs(TREE, folder)
                  if not self.near or (arrows == 0 and not slow)]
        try:
            for name, pattern, what in tests:
                if (name, pattern) not in self.took:
                    path.write_text(text, encoding="utf-8")
                    self.prepare(name, pattern)
                path.write_text(mutated, encoding="utf-8")
                if not self.build(name):
                    return "invalid"
                if not self.passes(name, pattern):
                    return f"killed by {what}"
            return "survived"
        finally:
            path.write_text(text, encoding="utf-8")


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
    """name -> outcome of earlier runs, without survivors and equivalents."""
    if not results.is_file():
        return {}
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {line["name"]: line["outcome"] for line in lines
            if line["outcome"] not in ("survived", "equivalent")}


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
    parser.add_argument("--near", action="store_true")
    parser.add_argument("--results", type=Path, default=WORK / "results.jsonl")
    parser.add_argument("--self-test", action="store_true")
    with_ = parser.parse_args()
    if with_.self_test:
        self_test()
        return
    drawn = in_order(all_mutants(ROOT, with_.only), with_.seed)
    print(f"{len(drawn)} mutants in all; {with_.count} are planted, seed {with_.seed}", flush=True)
    WORK.mkdir(parents=True, exist_ok=True)
    laboratory, outcomes = Laboratory(with_.near), {}
    before, same = known(with_.results), equivalents()
    try:
        laboratory.set_up()
        for mutant in drawn:
            if len(outcomes) == with_.count:
                break
            start = cpu_seconds()
            if mutant.change in same:
                outcome = "equivalent"
            else:
                outcome = before.get(mutant.name) or laboratory.outcome(mutant)
            if mutant.name not in before:
                with with_.results.open("a", encoding="utf-8") as out:
                    out.write(json.dumps({"name": mutant.name, "outcome": outcome,
                                          "mutant": str(mutant)}) + "\n")
            print(f"{cpu_seconds() - start:6.1f} s  {outcome}: {mutant}", flush=True)
            if outcome != "invalid":
                outcomes[mutant] = outcome
    except BrokenTests as error:
        print((WORK / "last.log").read_text(encoding="utf-8")[-8000:])
        print(f"{error} fails without a mutant")
        sys.exit(2)
    print("\n" + table(outcomes) + f"\n\n{cpu_seconds():.0f} s of processor time")
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
    own = [name for name, _, _ in own_tests(ROOT, "src/guard/call_machine.cpp")]
    if own != ["guard_test"]:
        sys.exit(f"self-test: the tests of guard/call_machine.cpp are in {own}")
    tests = [name for _, _, name in test_programs(ROOT, "guard")]
    if not tests or not tests[0].startswith("guard") or "oauth_test" in tests:
        sys.exit(f"self-test: the tests of guard are {tests}")
    equivalents()
    print(f"mutate: self-test of {len(found)} mutants ok")


if __name__ == "__main__":
    main()
