"""Shared by the scripts that check a rule: their arguments and exit status."""

import sys
import tempfile
from pathlib import Path


def run(check, self_test, all_is_well):
    """`--self-test`: the proof that it can fail. Else the problems of the tree (an argument, or
    this one), one a line, and exit status 1; or that all is well."""
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = check(root)
    print("\n".join(problems) if problems else all_is_well)
    sys.exit(1 if problems else 0)


def find_faults(check, files, faults):
    """Of a tree with these files (name: text) nothing may be wrong; of each fault (file, before,
    after, words of the complaint) something must."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        if problems := check(root):
            sys.exit(f"self-test: nothing is wrong, but: {problems}")
        for name, before, after, expected in faults:
            wrong = files[name].replace(before, after, 1)
            (root / name).write_text(wrong, encoding="utf-8")
            if wrong == files[name] or not any(expected in p for p in check(root)):
                sys.exit(f"self-test: {before} -> {after}: '{expected}' expected, "
                         f"found {check(root)}")
            (root / name).write_text(files[name], encoding="utf-8")
