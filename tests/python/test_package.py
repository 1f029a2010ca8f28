"""How the package is built and installed, and what it costs."""

import ast
import graphlib
import importlib
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import skewguard
from conftest import HUNG_S, ROOT
from skewguard.testing import find_program

BUILD = Path(skewguard.__file__).resolve().parents[2]


def run(*command, **more):
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True,
                          timeout=HUNG_S, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_python_m_skewguard_says_where_the_library_was_found():
    lines = run(sys.executable, "-m", "skewguard").splitlines()
    facts = dict(line.split(maxsplit=1) for line in lines)
    assert facts["skewguard"] == skewguard.__version__ == run(find_program(), "version").split()[1]
    assert Path(facts["library"]).name.startswith("libskewguard-c.so.")
    assert Path(facts["library"]).is_relative_to(BUILD)
    assert facts["package"] == str(Path(skewguard.__file__).parent)


def test_the_extension_module_uses_the_stable_interface_alone():
    [module] = (BUILD / "python/skewguard").glob("_native*.so")
    assert module.name == "_native.abi3.so"
    wanted = re.findall(r" U (_?Py\w+)", run("nm", "-D", module))
    assert wanted and not [one for one in wanted if one.startswith("_Py_")
                           and one not in ("_Py_Dealloc", "_Py_NoneStruct")]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The library and the package, installed below a folder."""
    prefix = tmp_path_factory.mktemp("prefix")
    for component in ("library", "python"):
        run("cmake", "--install", BUILD, "--prefix", prefix, "--component", component)
    return prefix


def clean(**more):
    return {name: value for name, value in os.environ.items()
            if name not in ("PYTHONPATH", "LD_LIBRARY_PATH")} | more


def test_what_is_installed_finds_its_library(installed):
    [package] = installed.glob("lib/python3*/dist-packages")
    assert (package / "skewguard/py.typed").exists()
    out = run("/usr/bin/python3", "-m", "skewguard", env=clean(PYTHONPATH=str(package)))
    assert str(installed) in re.search(r"^library +(.*)$", out, re.MULTILINE)[1]


def test_an_sdist_becomes_a_wheel_that_works(installed, tmp_path):
    [pc] = installed.rglob("skewguard-c.pc")
    env = clean(PKG_CONFIG_PATH=str(pc.parent))
    run("/usr/bin/python3", "setup.py", "-q", "egg_info", "--egg-base", tmp_path, "sdist",
        "--dist-dir", tmp_path, cwd=ROOT / "python", env=env)
    [sdist] = tmp_path.glob("*.tar.gz")
    run("/usr/bin/python3", "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
        "--no-index", "--wheel-dir", tmp_path, sdist, env=env)
    [wheel] = tmp_path.glob("*.whl")
    assert "-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    out = run("/usr/bin/python3", "-m", "skewguard", env=clean(
        PYTHONPATH=str(tmp_path / "site")))
    assert f"skewguard {skewguard.__version__}" in out
    assert str(installed) in re.search(r"^library +(.*)$", out, re.MULTILINE)[1]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git checkout")
def test_git_ignores_what_pip_leaves_in_the_source():
    left = ["python/build/lib", "python/skewguard.egg-info/PKG-INFO"]
    assert run("git", "check-ignore", *left, cwd=ROOT).split() == left


@pytest.mark.parametrize("libdir, expected", [
    ("/usr/lib", []), ("/usr/local/lib", []), ("/opt/skewguard/lib", ["/opt/skewguard/lib"]),
    (f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}", [])])
def test_a_wheel_names_the_folder_of_the_library_unless_it_is_a_usual_one(
        libdir, expected, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "python")
    build_native = importlib.import_module("build_native")
    monkeypatch.setattr(build_native, "pkg_config", lambda *_: [libdir])
    assert build_native.run_path() == expected


def test_the_happy_path_takes_no_lock():
    out = run(sys.executable, ROOT / "bench/python_auth.py", "--count",
              env={**os.environ, "SKEWGUARD": find_program()})
    assert out.startswith("0 futex calls")


def test_no_private_name_of_other_packages_is_used():
    for file in (ROOT / "python/skewguard").glob("*.py"):
        assert not re.search(r"\b(httpx|requests|urllib3|sdk)\.(\w+\.)*_\w", file.read_text())


def imports_of(file):
    """The modules of the package that a module imports, also those for type checkers alone."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from [node.module] if node.module else [one.name for one in node.names]


def test_the_imports_of_the_package_have_no_circle():
    files = {file.stem: file for file in (ROOT / "python/skewguard").glob("*.py")}
    graph = {name: set(imports_of(file)) for name, file in files.items()}
    assert "_handle" in graph["_client"] and "httpx" in graph["__init__"]
    assert list(graphlib.TopologicalSorter(graph).static_order())
