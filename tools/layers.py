#!/usr/bin/env python3
"""Checks that every include follows the arrows of ARCHITECTURE.md.

    tools/layers.py [ROOT]       exit 1 and one line for each include that breaks a rule
    tools/layers.py --self-test  shows that each rule can fail
"""

import re
import sys
import tempfile
from pathlib import Path

import script

# A folder under src/ and those it may include from (and, through them, what those may include).
ARROWS = {
    "base": [],
    "time": ["base"],
    "virtual_time": ["base"],
    "testing": ["time", "virtual_time"],  # for users' tests: never the code under test
    "clocks": ["time"],
    "http": ["time"],
    "oauth": ["clocks", "http"],
    "diagnosis": ["oauth"],
    "guard": ["diagnosis"],
    "relay": ["http"],
    "sharing": ["oauth"],
    "genesys": ["oauth"],
    "settings": ["genesys"],
    "system": ["time"],
    "net": ["http", "clocks"],
    "store": ["sharing", "net", "system"],
    "engine": ["guard", "genesys", "sharing", "store"],
    "runtime": ["engine", "settings", "store", "net", "system"],
    "c": ["runtime"],
    "doctor": ["runtime"],
    "proxy": ["runtime", "relay"],
    "emulator": ["http", "net"],  # never oauth or genesys: an independent second reading
    "demo": ["runtime", "emulator", "virtual_time"],
    "cli": ["doctor", "proxy", "runtime", "emulator", "demo"],
}

# The state machines: they get the time and an event, and return what to do. They never block.
PURE = {"time", "clocks", "http", "oauth", "sharing", "diagnosis", "guard", "genesys",
        "relay"}
# Files in other folders that are as pure. In their own folder they see what was measured, not how.
PURE_FILES = {"doctor": {"judge", "case", "claims", "checks", "consensus", "harm"}}
MEASURED = {"doctor/readings.hpp"}
IMPURE_HEADER = re.compile(
    r"^(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token"
    r"|ctime|time\.h|unistd\.h|fstream|iostream|sys/.*|poll\.h|openssl/.*"
    r"|boost/(asio|beast)(/.*|\.hpp))$")
# Compiling Beast takes half a minute per file: only one folder may include it.
BEAST_FOLDERS = {"net"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SOURCE_SUFFIXES = {".cpp", ".hpp", ".h", ".c", ".ipp"}


def reachable(folder):
    """All folders that `folder` may include from, itself among them."""
    found = {folder}
    for below in ARROWS[folder]:
        found |= reachable(below)
    return found


def includes(path):
    """(line number, bracket, name) of each include in a file."""
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match.group(1), match.group(2)


def check_public(header, bracket, name):
    if bracket == '"':
        return None if name.startswith("skewguard/") else "a public header includes only skewguard/"
    if header == "asio.hpp" and name.startswith("boost/asio/"):
        return None  # it is for users of Boost.Asio
    if header == "skewguard.h":
        return None if name in ("stddef.h", "stdint.h") else "the C header needs only its types"
    return None if re.fullmatch(r"[a-z_0-9]+", name) else "a public header includes only std"


def is_pure(folder, stem):
    return folder in PURE or stem in PURE_FILES.get(folder, ())


def check_pure_file(folder, name):
    """What is wrong with an include in one of PURE_FILES."""
    where, _, file = name.partition("/")
    if where == folder:
        pure = name in MEASURED or Path(file).stem in PURE_FILES[folder]
    else:
        pure = where in PURE | {"base", "skewguard"}
    return None if pure else "a pure file may include only measurements and pure folders"


def check_system(folder, stem, name):
    if is_pure(folder, stem) and IMPURE_HEADER.match(name):
        return f"{folder}/{stem} is pure: it must not wait, lock or do I/O"
    if name.startswith("boost/beast") and folder in ARROWS and folder not in BEAST_FOLDERS:
        return "Beast is for " + ", ".join(sorted(BEAST_FOLDERS))
    return None


def check_project(allowed, name, near):
    """`allowed`: the folders that may be included; `near`: where other test files may be."""
    top = name.split("/")[0]
    if top == "skewguard" and "/" in name:
        return None
    if "/" in name and top in ARROWS:
        return None if top in allowed else f"no arrow leads to {top}/"
    if re.fullmatch(r"[a-z_]+\.inc", name):
        return None  # generated from a document by the build
    if any((place / name).is_file() for place in near):
        return None
    return "name a folder of src/ or skewguard/"


def check_file(root, path):
    parts = path.relative_to(root).parts
    if parts[0] == "include":
        for line, bracket, name in includes(path):
            yield line, name, check_public(path.name, bracket, name)
        return
    folder, allowed, near = None, set(ARROWS), []
    if parts[0] == "src":
        folder = parts[1]
        allowed = reachable(folder)
    else:
        near = [path.parent, root / parts[0], root / "fuzz", root / "bench"]
        if parts[:2] == ("tests", "unit") and parts[2] in ARROWS:
            allowed = reachable(parts[2])
    for line, bracket, name in includes(path):
        if bracket == "<":
            yield line, name, check_system(folder, path.stem, name)
        elif path.stem in PURE_FILES.get(folder, ()) and (why := check_pure_file(folder, name)):
            yield line, name, why
        else:
            yield line, name, check_project(allowed, name, near)


def check(root):
    """One message for each broken rule under `root`."""
    problems = []
    for folder in sorted((root / "src").iterdir()):
        if folder.is_dir() and folder.name not in ARROWS:
            problems.append(f"src/{folder.name}: unknown folder; give it its arrows in layers.py")
    for top in ("include", "src", "apps", "tests", "fuzz", "bench", "examples"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in SOURCE_SUFFIXES or "node_modules" in path.parts:
                continue
            relative = path.relative_to(root)
            if top == "src" and (len(relative.parts) < 3 or relative.parts[1] not in ARROWS):
                continue  # reported above, once
            for line, name, why in check_file(root, path):
                if why:
                    problems.append(f"{relative}:{line}: {name}: {why}")
    return problems


SAMPLES = {  # file: (text, how many problems)
    "include/skewguard/good.hpp": ("#include <string>\n#include \"skewguard/time.hpp\"\n", 0),
    "include/skewguard/bad.hpp": ("#include <boost/url.hpp>\n#include \"base/strings.hpp\"\n", 2),
    "include/skewguard/skewguard.h": ("#include <stddef.h>\n#include <stdio.h>\n", 1),
    "src/oauth/good.cpp": ("#include \"time/backoff.hpp\"\n#include \"skewguard/http.hpp\"\n", 0),
    "src/oauth/up.cpp": ("  #  include \"guard/call_machine.hpp\"\n", 1),
    "src/oauth/bare.cpp": ("#include \"token.hpp\"\n", 1),
    "src/guard/waits.cpp": ("#include <mutex>\n#include <boost/asio/post.hpp>\n", 2),
    "src/emulator/peeks.cpp": ("#include \"oauth/token.hpp\"\n", 1),
    "src/runtime/beast.cpp": ("#include <boost/beast/http.hpp>\n#include <mutex>\n", 1),
    "src/doctor/harm.cpp": ("#include \"doctor/readings.hpp\"\n#include \"http/url.hpp\"\n"
                            "#include \"net/lookup.hpp\"\n#include \"doctor/survey.hpp\"\n"
                            "#include <mutex>\n", 3),
    "src/mystery/x.cpp": ("int x;\n", 1),
    "tests/unit/time/up_test.cpp": ("#include \"oauth/token.hpp\"\n", 1),
    "tests/unit/time/good_test.cpp": ("#include \"help.hpp\"\n#include \"time/backoff.hpp\"\n", 0),
    "tests/unit/time/help.hpp": ("#pragma once\n", 0),
    "tests/property/good.cpp": ("#include \"guard/call_machine.hpp\"\n", 0),
    "apps/skewguard/main.cpp": ("#include \"nowhere/x.hpp\"\n", 1),
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, (text, _) in SAMPLES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        problems = check(root)
    for name, (_, expected) in SAMPLES.items():
        place = "src/mystery" if "mystery" in name else name
        found = [p for p in problems if p.startswith(place + ":")]
        if len(found) != expected:
            sys.exit(f"self-test: {name}: {expected} problems expected, found {found}")
    print(f"layers: self-test of {len(SAMPLES)} samples ok")


if __name__ == "__main__":
    script.run(check, self_test, "layers: every include follows the arrows")
