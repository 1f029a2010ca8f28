"""Bounds for one server's clock, without a client."""

from __future__ import annotations

from typing import Any, Optional, Tuple

from ._arguments import SECOND, nanoseconds, text
from ._calls import read_clocks
from ._errors import Slot
from ._native import ffi, lib

_MAX_STALENESS_S = 3600


def _moment_at(name: str, wall: float, now: Any) -> Any:
    """A reading of all clocks at this wall time, given one of now."""
    ago = now.wall - nanoseconds(name, wall)
    return ffi.new("skewguard_moment*", {
        "boot": now.boot - ago, "wall": now.wall - ago, "monotonic": now.monotonic - ago,
        "raw": now.raw - ago, "gap": now.gap})


class Estimator:
    """Bounds for one server's clock from the Date fields of its answers (RFC 9110 section 6.6.1).

    `staleness`: how late a Date may be, in seconds, from 0 to 3600. May be used from any thread.
    """

    def __init__(self, staleness: float = 1.0) -> None:
        native = lib.skewguard_estimator_new(nanoseconds("staleness", staleness, _MAX_STALENESS_S))
        if native == ffi.NULL:
            raise MemoryError
        self._handle: Any = ffi.gc(native, lib.skewguard_estimator_free)

    def observe(self, date: str, sent: float, received: float) -> None:
        """One answer: the text of its Date field, and time.time() just before the request was sent
        and as soon as the answer began. Raises ConfigError for what is no Date, and for an answer
        that came before it was asked for. The wall clock must not have been set since `sent`."""
        now = read_clocks()
        slot = Slot()
        lib.skewguard_estimator_observe(self._handle, text("date", date),
                                        _moment_at("sent", sent, now),
                                        _moment_at("received", received, now), slot.out)
        slot.check()

    def bounds(self) -> Optional[Tuple[float, float]]:
        """The interval, now, that contains server minus local wall clock, in seconds: positive =
        the server is ahead. None if nothing is known."""
        low, high = ffi.new("int64_t*"), ffi.new("int64_t*")
        if not lib.skewguard_estimator_bounds(self._handle, read_clocks(), low, high):
            return None
        return low[0] / SECOND, high[0] / SECOND

    def __repr__(self) -> str:
        return f"<skewguard.Estimator {self.bounds()}>"
