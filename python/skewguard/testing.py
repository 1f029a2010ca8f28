"""For tests of programs: the emulator, a small Genesys Cloud whose clocks can be wrong.

    # conftest.py
    pytest_plugins = ["skewguard.testing"]

    def test_it(skewguard_emulator):
        emulator = skewguard_emulator("--login-offset", "3s", "--strict-nbf")
        client = skewguard.Client(**emulator.settings)
        assert client.get("/api/v2/tokens/me").status == 200
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Type, TypedDict, cast

import pytest


class Settings(TypedDict):
    """How a Client reaches an emulator: `Client(**emulator.settings)`."""

    login_url: str
    api_url: str
    client_id: str
    client_secret: str
    token_store: str


def find_program() -> str:
    """The program `skewguard`: $SKEWGUARD, else that on the PATH, else that of the same build."""
    named = os.environ.get("SKEWGUARD")
    if named:
        return named
    found = shutil.which("skewguard")
    if found:
        return found
    built = Path(__file__).resolve().parents[2] / "skewguard"
    if os.access(built, os.X_OK) and built.is_file():
        return str(built)
    raise FileNotFoundError("the program skewguard is not on the PATH; name it in $SKEWGUARD")


# Ends a program when its own standard input says or shows so: that is a pipe from the test process,
# which the system closes even if that is killed.
_WATCHED = '"$@" & exec >/dev/null; read _; kill $!; wait $!'


class Emulator:
    """`skewguard emulate` with these flags (docs/guide/emulator.md), until it is closed, or the
    test process ends. Raises RuntimeError, with what it says, if it does not start."""

    def __init__(self, *flags: str, client_id: str = "demo",
                 client_secret: str = "demo-secret") -> None:
        self._said = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHED, "sh", find_program(), "emulate", "--client",
             f"{client_id}:{client_secret}", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True,
            start_new_session=True)  # Ctrl-C is for the tests
        said: Dict[str, str] = {}
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, value = line.strip().partition(" ")
            said[name] = value
            if name == "ready":
                break
        if "ready" not in said:
            self._end()
            self._said.seek(0)
            words = self._said.read().strip()
            self._said.close()
            raise RuntimeError(f"the emulator did not start: {words}")
        self.login_url: str = said["login"]
        self.api_url: str = said["api"]
        #: Of a Client that uses the emulator.
        self.settings: Settings = {"login_url": self.login_url, "api_url": self.api_url,
                                   "client_id": client_id, "client_secret": client_secret,
                                   "token_store": "none"}

    @property
    def environment(self) -> Dict[str, str]:
        """The same as environment variables, for a program of its own."""
        return {"SKEWGUARD_LOGIN_URL": self.login_url, "SKEWGUARD_API_URL": self.api_url,
                "GENESYS_CLOUD_CLIENT_ID": self.settings["client_id"],
                "GENESYS_CLOUD_CLIENT_SECRET": self.settings["client_secret"],
                "SKEWGUARD_TOKEN_STORE": "none"}

    def order(self, what: str, /, **fields: object) -> Mapping[str, object]:
        """Changes what the emulator does: `order("fault", host="api", status=502, times=1)`."""
        return self._ask(what, json.dumps(fields).encode())

    def stats(self) -> Mapping[str, object]:
        """What the emulator has been asked."""
        return self._ask("stats", None)

    def token_requests(self) -> int:
        """How many tokens were requested."""
        return cast(Dict[str, int], self.stats()["token_requests"])["total"]

    def _ask(self, path: str, data: Optional[bytes]) -> Mapping[str, object]:
        with urllib.request.urlopen(f"{self.login_url}/emulator/{path}", data) as answer:
            return cast(Mapping[str, object], json.load(answer))

    def close(self) -> None:
        """Ends the emulator. May be called twice."""
        if not self._said.closed:
            self._end()
            self._said.close()

    def _end(self) -> None:
        # By a word, as forked children may hold the pipe open.
        self._process.communicate("end\n")

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()


@pytest.fixture
def skewguard_emulator() -> Iterator[Callable[..., Emulator]]:
    """Starts emulators with the given flags; they end with the test."""
    running: List[Emulator] = []

    def start(*flags: str) -> Emulator:
        running.append(Emulator(*flags))
        return running[-1]

    yield start
    for emulator in running:
        emulator.close()
