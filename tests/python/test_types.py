"""What a type checker says about the package, and about its uses."""

import inspect
import re
import subprocess
import typing
from pathlib import Path

import pytest
import skewguard
from conftest import HUNG_S, ROOT

HERE = Path(__file__).resolve().parent


def mypy(tmp_path_factory, *arguments):
    done = subprocess.run(
        ["/usr/bin/mypy", "--strict", "--python-executable", "/usr/bin/python3",
         "--show-error-codes", "--no-error-summary",
         "--cache-dir", str(tmp_path_factory.getbasetemp() / "mypy"), *map(str, arguments)],
        capture_output=True, text=True, timeout=HUNG_S, cwd=ROOT / "python",
        env={"MYPYPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"})
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines()
            if ": error: " in line and "PureCloudPlatformClientV2" not in line]


def test_the_package_its_examples_and_right_uses_are_typed_strictly(tmp_path_factory):
    examples = sorted((ROOT / "examples/python").glob("*.py"))
    assert mypy(tmp_path_factory, "skewguard", *examples, HERE / "right_uses.py") == []


def test_wrong_uses_are_rejected(tmp_path_factory):
    found = {(int(match[1]), match[2])
             for match in (re.search(r"wrong_uses\.py:(\d+): error: .* \[([\w-]+)\]$", line)
                           for line in mypy(tmp_path_factory, HERE / "wrong_uses.py")) if match}
    lines = (HERE / "wrong_uses.py").read_text(encoding="utf-8").splitlines()
    wanted = {(at, line.rsplit("# wrong: ", 1)[1]) for at, line in enumerate(lines, 1)
              if "# wrong: " in line}
    assert len(wanted) > 20
    assert found == wanted


def public_functions():
    modules = [skewguard, skewguard.httpx, skewguard.requests, skewguard.genesys, skewguard.testing]
    for module in modules:
        for name, value in vars(module).items():
            if name.startswith("_") or not str(getattr(value, "__module__", "")).startswith(
                    "skewguard"):
                continue
            if inspect.isclass(value):
                yield from ((f"{name}.{key}", one) for key, one in vars(value).items()
                            if inspect.isfunction(one) and (key[0] != "_" or (
                                key == "__init__" and not getattr(value, "_is_protocol", False))))
                yield from ((f"{name}.{key}", one.fget) for key, one in vars(value).items()
                            if isinstance(one, property))
            elif inspect.isfunction(value):
                yield name, value


def test_no_public_signature_says_any():
    functions = dict(public_functions())
    assert len(functions) > 40
    for name, function in functions.items():
        names = {**vars(skewguard), **vars(inspect.getmodule(function))}
        hints = typing.get_type_hints(function, names)
        wanted = [one for one in inspect.signature(function).parameters if one != "self"]
        assert set(wanted) | {"return"} == set(hints) - {"self"}, name
        assert "Any" not in " ".join(map(str, hints.values())), (name, hints)


def test_the_package_says_that_it_is_typed():
    assert (Path(skewguard.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize("name", ["httpx", "requests", "genesys", "testing"])
def test_adapters_are_imported_when_they_are_used(name):
    code = f"import skewguard, sys; assert 'httpx' not in sys.modules; skewguard.{name}"
    subprocess.run(["/usr/bin/python3", "-c", code], check=True, timeout=HUNG_S)
