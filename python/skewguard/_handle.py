"""The C library's client, which a `Client`, its events and its calls share. It knows none of them,
so that it ends with the last of them."""

from __future__ import annotations

import atexit
import math
import os
import time
import weakref
from typing import Any, Optional

from ._errors import ClosedError
from ._native import ffi, lib
from ._waiting import Waiter

_BETWEEN_DATES_S = 0.25


class Lease:
    """A token that may be sent now."""

    __slots__ = ("authorization", "generation", "_told")

    def __init__(self, authorization: str, generation: int) -> None:
        self.authorization = authorization
        self.generation = generation
        self._told = -math.inf  # when the library was last told of a success

    def is_news(self) -> bool:
        """Whether the library wants to be told of another success: of the first with each token,
        and then of four Dates a second."""
        now = time.monotonic()
        if now - self._told < _BETWEEN_DATES_S:
            return False
        self._told = now
        return True


class Handle:
    """A client of the C library, until it is closed."""

    def __init__(self, native: Any) -> None:
        #: None once it is closed.
        self.native: Any = native
        self.cached_lease: Optional[Lease] = None
        _open.add(self)

    def open(self) -> Any:
        """The C library's client, which lives as long as somebody holds it."""
        native = self.native
        if native is None:
            raise ClosedError()
        return native

    def close(self) -> None:
        """Ends the client, as soon as no other thread is inside a function of the library."""
        self.native = None
        self.cached_lease = None

    def lease(self) -> Optional[Lease]:
        """The token that may be sent now; None if there is none."""
        native = self.open()
        generation = ffi.new("uint64_t*")
        size: int = lib.skewguard_lease(native, ffi.NULL, 0, generation)
        cached = self.cached_lease
        if size and cached is not None and cached.generation == generation[0]:
            return cached
        while size:
            buffer = ffi.new("char[]", size + 1)
            now: int = lib.skewguard_lease(native, buffer, size + 1, generation)
            if 0 < now <= size:
                lease = Lease(ffi.string(buffer).decode("latin-1"), generation[0])
                self.cached_lease = lease
                return lease
            size = now
        return None


_open: weakref.WeakSet[Handle] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Before the interpreter ends, so that no thread of the library outlives it."""
    Waiter.parked = True
    for handle in list(_open):
        handle.close()


def _begin_anew() -> None:
    """In a forked child: the library counts the child's tokens anew."""
    for handle in list(_open):
        handle.cached_lease = None


os.register_at_fork(after_in_child=_begin_anew)
