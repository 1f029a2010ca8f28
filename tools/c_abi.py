#!/usr/bin/env python3
"""What the C interface promises, for comparison with what it promised before.

    tools/c_abi.py library FILE [HEADER]   a library whose functions do nothing, for abidiff: the
                                           types and arguments are the header's
    tools/c_abi.py record                  writes packaging/skewguard-c.abi and .symbols anew,
                                           for an interface that has grown
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/skewguard/skewguard.h"
ABI = ROOT / "packaging/skewguard-c.abi"
SYMBOLS = ROOT / "packaging/skewguard-c.symbols"
EXPORTS = ROOT / "packaging/exports-c.map"
NODE = "SKEWGUARD_C_0"
SONAME = "libskewguard-c.so.0"
FUNCTION = re.compile(r"^(?!typedef|extern)([\w \n*]+?)\b(skewguard_\w+)(\([^;{}]*\));",
                      re.MULTILINE)


def functions(header):
    """(result, name, arguments) of each function that the text of a header declares."""
    code = re.sub(r"/\*.*?\*/|^#.*?$", "", header, flags=re.DOTALL | re.MULTILINE)
    return FUNCTION.findall(code)


def build_library(header, library):
    """A shared object with all functions of this header (a path), which do nothing."""
    text = header.read_text(encoding="utf-8")
    lines = [f'#include "{header}"']
    for result, name, arguments in functions(text):
        body = "{}" if result.strip() == "void" else "{ return 0; }"
        lines.append(f"{result}{name}{arguments} {body}")
    # Functions take numbers as int32_t: so that abidiff compares the enumerators too.
    enums = re.findall(r"^enum (\w+) \{", text, re.MULTILINE)
    lines.append("struct skewguard_numbers {"
                 + " ".join(f"enum {name} {name};" for name in enums) + "} skewguard_numbers;")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "functions.c"
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        subprocess.run(["cc", "-std=c99", "-g", "-shared", "-fPIC", f"-Wl,-soname,{SONAME}",
                        f"-Wl,--version-script={EXPORTS}", source.name, "-o", library],
                       cwd=folder, check=True)


def record():
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / SONAME
        build_library(HEADER, library)
        subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs",
                        "--type-id-style", "hash", "--out-file", ABI, library], check=True)
    names = sorted(name for _, name, _ in functions(HEADER.read_text(encoding="utf-8")))
    known = dict(re.findall(r"^ (\w+)@\w+ (.*)$", SYMBOLS.read_text(encoding="utf-8"),
                            re.MULTILINE)) if SYMBOLS.exists() else {}
    version = re.search(r"project\(skewguard VERSION (\S+)",
                        (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    lines = [f"{SONAME} libskewguard-c0 #MINVER#"]
    lines += [f" {name}@{NODE} {known.get(name, version)}" for name in [NODE, *names]]
    SYMBOLS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    if sys.argv[1:] == ["record"]:
        record()
    elif sys.argv[1:2] == ["library"] and len(sys.argv) in (3, 4):
        header = Path(sys.argv[3]) if len(sys.argv) == 4 else HEADER
        build_library(header.resolve(), Path(sys.argv[2]).resolve())
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
