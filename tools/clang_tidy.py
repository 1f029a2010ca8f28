#!/usr/bin/env python3
"""Runs clang-tidy over every file of a build folder's compile_commands.json.

    tools/clang_tidy.py BUILD_FOLDER [CHECKS]

CHECKS (like clang-tidy's --checks) replaces those of .clang-tidy.
A clean file is not checked again until it, a file that it includes, its command, the checks or
clang-tidy itself changes: build/tidy-cache remembers.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

CLANG_TIDY = "clang-tidy-19"
ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "tidy-cache"


def dependencies(build):
    """object file -> the files it was made from, as ninja recorded them."""
    out = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True)
    found, current = {}, None
    for line in out.stdout.splitlines():
        if line.startswith("    "):
            found[current].append((build / line.strip()).resolve())
        elif ": #deps" in line:
            current = line.split(": #deps")[0]
            found[current] = []
    return found


class Fingerprints:
    """Content hashes of the project's files, size and time of the system's; each read once."""

    def __init__(self):
        self.known = {}

    def of(self, path):
        if path not in self.known:
            if ROOT in path.parents:
                self.known[path] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                status = path.stat()
                self.known[path] = f"{status.st_size} {status.st_mtime_ns}"
        return self.known[path]


def key(entry, deps, prints, common):
    """The name under which a clean result is remembered; None where that cannot be told."""
    made_from = deps.get(entry.get("output", ""))
    if not made_from:
        return None
    text = [common, entry["command"]]
    for path in sorted(set(made_from)):
        if not path.is_file():
            return None
        text.append(f"{path} {prints.of(path)}")
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def run(build, source, flags):
    start = time.monotonic()
    done = subprocess.run([CLANG_TIDY, "--quiet", *flags, "-p", build, source],
                          capture_output=True, text=True)
    return done.returncode, done.stdout, time.monotonic() - start


def slow_first(entry):
    """Long files first, so that the last one to end is a short one."""
    text = Path(entry["file"]).read_text(encoding="utf-8", errors="replace")
    return (-("boost/beast" in text), -("boost/asio" in text), -len(text))


def main():
    build = Path(sys.argv[1]).resolve()
    flags = [f"--checks={checks}" for checks in sys.argv[2:3]]
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, text=True, check=True)
    common = " ".join(flags) + version.stdout + (ROOT / ".clang-tidy").read_text(encoding="utf-8")
    deps, prints = dependencies(build), Fingerprints()
    CACHE.mkdir(parents=True, exist_ok=True)
    work = []
    for entry in sorted(entries, key=slow_first):
        name = key(entry, deps, prints, common)
        if name is None or not (CACHE / name).exists():
            work.append((entry["file"], name))
    print(f"clang-tidy: {len(entries)} files, {len(entries) - len(work)} known to be clean")
    dirty = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = {pool.submit(run, build, source, flags): (source, name) for source, name in work}
        for task in as_completed(tasks):
            source, name = tasks[task]
            status, output, seconds = task.result()
            print(f"{seconds:6.1f} s  {os.path.relpath(source, ROOT)}", flush=True)
            if status != 0:
                dirty += 1
                print(output, flush=True)
            elif name is not None:
                (CACHE / name).touch()
    print(f"{len(entries) - dirty} passed, {dirty} failed")
    sys.exit(1 if dirty or not entries else 0)


if __name__ == "__main__":
    main()
