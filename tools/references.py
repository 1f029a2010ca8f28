#!/usr/bin/env python3
"""Checks that everything that the code and the documents refer to exists in this repository.

    tools/references.py [ROOT]       exit 1 and one line for each broken reference
    tools/references.py --self-test  shows that each kind of reference can fail

Checked are: documents (`docs/x.md`, `ADR 7`), their sections (`platform.md 2.1`, `contract.md
section 3`), rules (`evidence rule 5`), the links and anchors of Markdown files, and paths between
backticks in Markdown. No two ADRs may have the same number: `ADR 7` must mean one of them.
"""

import re
import sys
from pathlib import Path

import script
import tidy_test

CITES = re.compile(r"\.(cpp|hpp|h|c|py|md|mjs|cmake|sh|txt|toml)$|(^|/)(check|quickstart)$")
# The samples of checkers are not references.
NOT_OURS = re.compile(r"^fuzz/corpus/|^tests/golden/|package-lock"
                      r"|^tools/(references|tidy_test)\.py$")
ADDRESS = re.compile(r"\b[a-z]+://[^\s)>`\"]+")
PLACEHOLDER = re.compile(r"(^|/)(test_)?x\.\w+$")
DOCUMENT = re.compile(r"\b(?:docs/)?(?:[a-z]+/)*([\w-]+\.md)\b")
SHOUTED = re.compile(r"\b(CONTRACT|DESIGN|SCENARIOS|GENESYS)(?='s|,? (?:sections?|rows?|table)\b)")
SECTION = re.compile(r"\b(contract|platform)\.md,? (?:sections? )?(\d+(?:\.\d+)?)")
SECTIONS_MORE = re.compile(r"\b(contract|platform)\.md,? sections? [\d.]+"
                           r"((?:,? (?:and )?[\d.]*\d)+)")
DECISION = re.compile(r"\bADR (\d+)\b")
RULE = re.compile(r"\b([Ee]vidence )?[Rr]ules? (\d+)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:src|tests|docs|tools|bench|fuzz|scenarios|examples|include|cmake"
                  r"|packaging|apps)/[\w./-]*)`")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


def anchor(heading):
    """As GitHub makes it from a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def joined(text):
    """A comment's or a paragraph's lines as one line each: a reference may break anywhere."""
    return re.sub(r"\n[ \t]*(?://[/!<]*|#|\*)?[ \t]*(?=[\w(])", " ", text)


class Tree:
    def __init__(self, root):
        self.root = root
        self.names = set(tidy_test.files(root))
        self.documents = {Path(name).name for name in self.names if name.endswith(".md")}
        heading = re.compile(r"^#+ (\d+(?:\.\d+)?)\b", re.MULTILINE)
        self.sections = {name: set(heading.findall(self.text(f"docs/{name}.md")))
                         for name in ("contract", "platform")}
        self.rules = set(re.findall(r"^(\d+)\. ", self.text("docs/evidence.md"), re.MULTILINE))
        self.decisions = {int(found.group(1)) for name in self.names
                          if (found := re.match(r"docs/adr/(\d+)-", name))}

    def text(self, name):
        path = self.root / name
        return read(path) if path.is_file() else ""

    def has(self, name):
        """A file, or a folder; a name without its ending may be several files."""
        name = name.rstrip("/.*")
        return (self.root / name).exists() or any(other.startswith(name + ".") or
                                                  other.startswith(name + "_")
                                                  for other in self.names)

    def citations(self, text):
        text = ADDRESS.sub("", text)
        for match in DOCUMENT.finditer(text):
            if match.group(1) not in self.documents and not PLACEHOLDER.search(match.group(1)):
                yield match.group(0)
        for match in SHOUTED.finditer(text):
            yield match.group(0)
        for match in SECTION.finditer(text):
            if match.group(2) not in self.sections[match.group(1)]:
                yield match.group(0)
        for match in SECTIONS_MORE.finditer(text):
            for number in re.findall(r"\d+(?:\.\d+)?", match.group(2)):
                if number not in self.sections[match.group(1)]:
                    yield f"{match.group(1)}.md section {number}"
        for match in DECISION.finditer(text):
            if int(match.group(1)) not in self.decisions:
                yield match.group(0)
        for match in RULE.finditer(text):
            if not match.group(1):
                yield f"{match.group(0)} (of what? write: evidence rule N)"
            elif match.group(2) not in self.rules:
                yield match.group(0)

    def links(self, name, text):
        text = FENCE.sub("", text)
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, part = target.partition("#")
            path = (self.root / name).parent / file if file else self.root / name
            if not path.exists():
                yield f"link to {target}"
            elif part and part not in map(anchor, HEADING.findall(read(path))):
                yield f"link to {target}: no such heading"
        for path in PATH.findall(text):
            if not self.has(path) and not PLACEHOLDER.search(path):
                yield path


def shared_numbers(names):
    """One message for each ADR that has the number of another."""
    first = {}
    for name in sorted(names):
        if found := re.match(r"docs/adr/(\d+)-", name):
            other = first.setdefault(int(found.group(1)), name)
            if other != name:
                yield f"{name}: has the number of {other}"


def check(root):
    """One message for each reference to nothing, or to two things, under `root`."""
    tree = Tree(root)
    problems = list(shared_numbers(tree.names))
    for name in sorted(tree.names):
        if not CITES.search(name) or NOT_OURS.search(name):
            continue
        text = read(root / name)
        found = list(tree.citations(joined(text)))
        if name.endswith(".md"):
            found += tree.links(name, text)
        problems += [f"{name}: refers to what is not there: {what}" for what in found]
    return problems


SAMPLE = {
    "docs/contract.md": "# C\n## 1. One\n",
    "docs/platform.md": "# P\n## 1. One\n### 1.1 Hosts\n",
    "docs/evidence.md": "# E\n\n1. A\n2. B\n",
    "docs/adr/0001-a.md": "# A\n",
    "docs/guide/x.md": "# X\n## A name: `y`\n[x](#a-name-y) [c](../contract.md) `src/a.cpp` "
                       "`src/a.*` [w](https://a/b.md)\n",
    "src/a.cpp": "// ADR 1, docs/adr/0001-a.md, contract.md section 1, platform.md 1.1, evidence\n"
                 "// rule 2, RFC 9110 section 5\n",
}
FAULTS = [
    ("src/a.cpp", "ADR 1,", "ADR 2,"),
    ("src/a.cpp", "0001-a.md", "0002-a.md"),
    ("src/a.cpp", "section 1,", "section 2,"),
    ("src/a.cpp", "section 1,", "sections 1 and 2,"),
    ("src/a.cpp", "platform.md 1.1", "platform.md 1.2"),
    ("src/a.cpp", "rule 2", "rule 3"),
    ("src/a.cpp", "evidence\n// rule", "the\n// rule"),
    ("src/a.cpp", "contract.md", "CONTRACT.md"),
    ("src/a.cpp", "contract.md", "CONTRACT"),
    ("docs/guide/x.md", "../contract.md", "contract.md"),
    ("docs/guide/x.md", "#a-name-y", "#a-name"),
    ("docs/guide/x.md", "`src/a.cpp`", "`src/b.cpp`"),
]


def self_test():
    twins = list(shared_numbers(["docs/adr/0001-a.md", "docs/adr/0001-b.md", "docs/adr/0002-c.md"]))
    if twins != ["docs/adr/0001-b.md: has the number of docs/adr/0001-a.md"]:
        sys.exit(f"self-test: ADRs with the same number: {twins}")
    script.find_faults(check, SAMPLE, [(*fault, f"{fault[0]}: refers") for fault in FAULTS])
    print(f"references: self-test of {len(FAULTS)} faults ok")


if __name__ == "__main__":
    script.run(check, self_test, "references: all that is referred to is here")
