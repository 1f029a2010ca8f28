"""What the scripts that check a rule have in common: how they are called, and how they end."""

import sys
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
