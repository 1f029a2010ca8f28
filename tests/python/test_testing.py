"""skewguard.testing: the emulator of a test process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import HUNG_S
from skewguard.testing import Emulator

KILLED = """
import os, signal
from skewguard.testing import Emulator
emulator = Emulator()
print(emulator.api_url, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_a_test_process_that_is_killed():
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True,
                          timeout=HUNG_S)
    port = int(done.stdout.rsplit(":", 1)[1])
    listening = f"0100007F:{port:04X} 00000000:0000 0A"
    give_up = time.monotonic() + HUNG_S
    while listening in Path("/proc/net/tcp").read_text(encoding="ascii"):
        assert time.monotonic() < give_up


def test_what_it_says_is_shown_if_it_does_not_start(capfd):
    with pytest.raises(RuntimeError, match="did not start: .*--no-such-flag"):
        Emulator("--no-such-flag")
    assert capfd.readouterr() == ("", "")


def test_it_ends_when_it_is_closed_though_a_forked_child_lives():
    emulator = Emulator()
    ready, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        os.read(ready, 1)
        os._exit(0)
    emulator.close()
    emulator.close()
    os.close(held)
    os.waitpid(child, 0)
    with pytest.raises(OSError):
        emulator.stats()
