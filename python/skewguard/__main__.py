"""`python3 -m skewguard`: the version, and where the library was found."""

from __future__ import annotations

import sys

import skewguard

from ._native import lib


def library() -> str:
    """The file of the C library that this process has loaded."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for line in maps:
            path = line.rstrip("\n").partition("/")[2]
            if "libskewguard-c.so" in path:
                return f"/{path}"
    return "unknown"


def main() -> None:
    """Prints one fact a line."""
    print(f"skewguard {skewguard.__version__}")
    print(f"abi       {lib.skewguard_abi()}")
    print(f"package   {skewguard.__path__[0]}")
    print(f"library   {library()}")
    print(f"python    {sys.version.split()[0]} ({sys.executable})")


if __name__ == "__main__":
    main()
