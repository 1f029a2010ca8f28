"""docs/guide/python.md: every snippet runs and prints what the guide leads one to expect."""

import os
import re
import subprocess
import sys

import pytest
from conftest import HUNG_S, ROOT

GUIDE = (ROOT / "docs/guide/python.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
# What each prints, by its heading and number there.
PRINTS = {
    "A client": ["200 Emulated Organization\nissuer_clock_ahead\nBearer True\n"],
    "httpx": ["200\n", "{200}\n", "200\n"],
    "requests": ["200\n"],
    "The official SDK": ["Emulated Organization\n"],
    "Any other stack": ["200\n"],
    "Errors": ["credentials True credentials_rejected\n"],
    "Logs and hooks": ["refused: issuer_clock_ahead 401\nended: issuer_clock_ahead True\n"],
    "Clocks": [None],
    "Prefork servers": ["{0}\n"],
}


def parts():
    """(heading, number, snippet) of all but those of the tests, which pytest runs."""
    for part in re.split(r"^## ", GUIDE, flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0]
        found = re.findall(r"^```python\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
        if heading != "For tests":
            yield from ((heading, number, one) for number, one in enumerate(found))


def environment(emulator, tmp_path):
    return {**os.environ, **emulator.environment, "HOME": str(tmp_path),
            "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{ROOT / 'tests/python'}"}


@pytest.mark.parametrize("heading, number, snippet", list(parts()),
                         ids=[f"{heading} {number}" for heading, number, _ in parts()])
def test_snippets_run(heading, number, snippet, ahead, tmp_path):
    env = environment(ahead, tmp_path)
    if "wrong" in snippet:
        del env["GENESYS_CLOUD_CLIENT_SECRET"]
    done = subprocess.run([sys.executable, "-c", f"API = {ahead.api_url!r}\n{snippet}"],
                          capture_output=True, text=True, timeout=HUNG_S, env=env)
    assert done.returncode == 0, done.stderr
    wanted = PRINTS[heading][number]
    if wanted is None:
        lines = done.stdout.splitlines()
        assert len(lines) == 3 and ahead.api_url in done.stdout and lines[-1].startswith("(")
    else:
        assert done.stdout == wanted
    if "wrong" not in snippet:
        assert ahead.token_requests() == 1


def test_the_tests_of_the_guide_run(tmp_path):
    [conftest, test] = [one for one in SNIPPETS if one.startswith("# ")]
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_mine.py").write_text(test)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           tmp_path], capture_output=True, text=True, timeout=HUNG_S,
                          env={**os.environ, "SKEWGUARD": skewguard_program()})
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def skewguard_program():
    from skewguard.testing import find_program
    return find_program()
