"""NTP servers on loopback, Debian's chronyd, whose clocks are off by a known amount."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from harness import HUNG_S

CHRONYD = shutil.which("chronyd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Chronyd:
    """Serves the time of a clock that is `offset` seconds ahead. It sets no clock (-x).

    `test`: what has the preload and a scratch folder, a test or its class."""

    def __init__(self, test, offset, *directives):
        self.name = f"127.0.0.1:{free_port()}"
        folder = Path(test.scratch.name) / self.name.replace(":", "_")
        env = {**os.environ, "LD_PRELOAD": test.preload, "SKEWGUARD_TEST_WALL_OFFSET": str(offset)}
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True)
        self.process = subprocess.Popen(
            [CHRONYD, "-d", "-x", "-u", user.stdout.strip(), "allow 127.0.0.1",
             "bindaddress 127.0.0.1", f"port {self.name.split(':')[1]}", "cmdport 0",
             "bindcmdaddress /", f"pidfile {folder}.pid", *directives],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)

    def wait_for_answer(self):
        """Any answer to an empty request of version 4."""
        host, port = self.name.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect((host, int(port)))
            asking.settimeout(0.1)
            for _ in range(1000):
                if self.process.poll() is not None:
                    raise RuntimeError("chronyd has ended")
                try:
                    asking.send(b"\x23" + bytes(47))
                    return asking.recv(100)
                except (ConnectionRefusedError, TimeoutError):
                    time.sleep(0.05)
        raise RuntimeError("chronyd does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait(HUNG_S)
        self.process.stdout.close()


def chronyds(test, cleanup, *offsets, directives=("local stratum 8",)):
    """Started and answering, one for each offset; `cleanup` is called with what stops each."""
    def start(offset):
        server = Chronyd(test, offset, *directives)
        cleanup(server.stop)
        return server

    names = []
    for offset, server in [(offset, start(offset)) for offset in offsets]:
        try:
            server.wait_for_answer()
        except RuntimeError:  # somebody was quicker to take its port
            server = start(offset)
            server.wait_for_answer()
        names.append(server.name)
    return names
