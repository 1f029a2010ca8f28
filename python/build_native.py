"""Describes the extension module skewguard._native: what skewguard.h declares, unchanged.

    build_native.py HEADER OUTPUT.c     writes its C source (what CMake does)

setup.py builds it with setuptools, against the libskewguard-c that is installed.
"""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from cffi import FFI


def declarations(header: str) -> str:
    """The header without the lines that only a C or C++ preprocessor understands."""
    header = re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", header, flags=re.DOTALL)
    return "\n".join(line for line in header.splitlines() if not line.startswith("#"))


def pkg_config(*arguments: str) -> list[str]:
    """The words that pkg-config prints about the installed library."""
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), *arguments, "skewguard-c"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def builder(header: Path, **build: list[str]) -> FFI:
    """The module. `build`: how to compile and link it, as setuptools has it."""
    ffi = FFI()
    ffi.cdef(declarations(header.read_text(encoding="utf-8")))
    ffi.set_source("skewguard._native", "#include <skewguard/skewguard.h>\n",
                   py_limited_api=True, **build)
    return ffi


def run_path() -> list[str]:
    """Where the library is, unless the system looks there by itself."""
    folder = Path(pkg_config("--variable=libdir")[0]).resolve()
    usual = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"]
    usual += [f"{one}/{sysconfig.get_config_var('MULTIARCH')}" for one in usual]
    return [] if folder in [Path(one).resolve() for one in usual] else [str(folder)]


def installed() -> FFI:
    """The module for the library that pkg-config finds. It looks for it there."""
    include = Path(pkg_config("--variable=includedir")[0])
    return builder(include / "skewguard" / "skewguard.h", include_dirs=[str(include)],
                   extra_link_args=pkg_config("--libs"), runtime_library_dirs=run_path())


if __name__ == "__main__":
    builder(Path(sys.argv[1])).emit_c_code(sys.argv[2])
