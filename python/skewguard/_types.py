"""What calls return. Nothing here shows a token unless it is asked for by name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ._report import Report

#: Header fields as they came, name and value.
Fields = Sequence[Tuple[bytes, bytes]]


@dataclass(frozen=True)
class Token:
    """An access token that the API accepts."""

    value: str = field(repr=False)  #: keep it out of logs
    token_type: str  #: "Bearer"
    expires_in: float  #: its remaining life in seconds, >= 0


class Clock(NamedTuple):
    """What is known about one server's clock: server minus local, in seconds; positive = the server
    is ahead. None = not known."""

    server: str  #: scheme://host:port
    low: Optional[float]
    high: Optional[float]
    samples: int  #: Dates taken for it


@dataclass(frozen=True)
class Bearer:
    """The token for one send by the program's own HTTP stack."""

    authorization: str = field(repr=False)  #: the value of the Authorization header

    @property
    def token(self) -> str:
        """The token by itself."""
        return self.authorization.partition(" ")[2]


class Headers(Mapping[str, str]):
    """The header fields of an answer. Names are compared ignoring case; fields of one name are
    joined with ", "."""

    def __init__(self, fields: Sequence[Tuple[str, str]]) -> None:
        self._fields = list(fields)

    def get_all(self, name: str) -> List[str]:
        """The values of all fields of this name, in their order."""
        return [value for key, value in self._fields if key.lower() == name.lower()]

    def items_in_order(self) -> List[Tuple[str, str]]:
        """All fields as they came."""
        return list(self._fields)

    def __getitem__(self, name: str) -> str:
        values = self.get_all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter({key.lower(): key for key, _ in self._fields}.values())

    def __len__(self) -> int:
        return len({key.lower() for key, _ in self._fields})

    def __repr__(self) -> str:
        return f"<Headers: {', '.join(self)}>"


@dataclass(frozen=True)
class Response:
    """Any answer of the API, whatever its status."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)
    report: Report = field(repr=False)

    def json(self) -> object:
        """The body as JSON. Raises ValueError if it is none."""
        return json.loads(self.body)
