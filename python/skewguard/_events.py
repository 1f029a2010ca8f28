"""Log lines and hooks. They run on the thread, or the loop, of whoever uses the client."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Callable, Optional

from ._handle import Handle
from ._native import ffi, lib
from ._report import Attempt, Report, read_attempt, read_report

logger = logging.getLogger("skewguard")

TRACE = 5  #: the level of lines that are more detailed than DEBUG

_LEVELS = {
    lib.SKEWGUARD_TRACE: TRACE,
    lib.SKEWGUARD_DEBUG: logging.DEBUG,
    lib.SKEWGUARD_INFO: logging.INFO,
    lib.SKEWGUARD_WARN: logging.WARNING,
    lib.SKEWGUARD_ERROR: logging.ERROR,
    lib.SKEWGUARD_CRITICAL: logging.CRITICAL,
}


@dataclass(frozen=True)
class Rejection:
    """A rejection as it arrives; its verdict is provisional."""

    message: str  #: one plain sentence
    verdict: str
    server: str  #: scheme://host:port
    correlation_id: str  #: the server's; may be empty
    attempt: Optional[Attempt]


OnRejection = Callable[[Rejection], object]
OnResolved = Callable[[Report], object]


def _lowest_level() -> int:
    """The lowest level of the C library whose lines the logger takes."""
    return min((native for native, level in _LEVELS.items() if logger.isEnabledFor(level)),
               default=int(lib.SKEWGUARD_CRITICAL))


class Events:
    """What a client has to tell."""

    def __init__(self, handle: Handle, on_rejection: Optional[OnRejection],
                 on_resolved: Optional[OnResolved]) -> None:
        self._handle = handle
        self._on_rejection = on_rejection
        self._on_resolved = on_resolved
        self._level: Optional[int] = None

    def listen(self) -> None:
        """Asks for the events that somebody wants now: the logger's level may have changed."""
        level = _lowest_level()
        if level == self._level:
            return
        self._level = level
        kinds: int = lib.SKEWGUARD_EVENT_LOG
        if self._on_rejection is not None:
            kinds |= lib.SKEWGUARD_EVENT_REJECTION
        if self._on_resolved is not None:
            kinds |= lib.SKEWGUARD_EVENT_RESOLVED
        lib.skewguard_listen(self._handle.open(), kinds, level, ffi.NULL, 0)

    def deliver(self) -> None:
        """Logs what there is and calls the hooks. What a hook raises is logged."""
        native = self._handle.native
        while native is not None:
            event = lib.skewguard_event_next(native)
            if event == ffi.NULL:
                return
            event = ffi.gc(event, lib.skewguard_event_free)
            dropped: int = lib.skewguard_event_dropped(event)
            if dropped:
                logger.warning("%d lines or events were dropped: too many at once", dropped)
            self._deliver(event)

    def _deliver(self, event: Any) -> None:
        kind = lib.skewguard_event_kind_of(event)
        if kind == lib.SKEWGUARD_EVENT_LOG:
            logger.log(_LEVELS[lib.skewguard_event_level(event)], "%s",
                       _text(event, lib.SKEWGUARD_EVENT_MESSAGE), extra={
                           "verdict": _text(event, lib.SKEWGUARD_EVENT_VERDICT),
                           "server": _text(event, lib.SKEWGUARD_EVENT_SERVER),
                           "correlation_id": _text(event, lib.SKEWGUARD_EVENT_CORRELATION_ID),
                       })
            return
        try:
            if kind == lib.SKEWGUARD_EVENT_REJECTION and self._on_rejection is not None:
                self._on_rejection(Rejection(
                    message=_text(event, lib.SKEWGUARD_EVENT_MESSAGE),
                    verdict=_text(event, lib.SKEWGUARD_EVENT_VERDICT),
                    server=_text(event, lib.SKEWGUARD_EVENT_SERVER),
                    correlation_id=_text(event, lib.SKEWGUARD_EVENT_CORRELATION_ID),
                    attempt=read_attempt(_text(event, lib.SKEWGUARD_EVENT_REPORT))))
            elif kind == lib.SKEWGUARD_EVENT_RESOLVED and self._on_resolved is not None:
                report = read_report(_text(event, lib.SKEWGUARD_EVENT_REPORT))
                if report is not None:
                    self._on_resolved(report)
        except Exception:
            logger.exception("a hook raised an exception")


def _text(event: Any, which: int) -> str:
    words: bytes = ffi.string(lib.skewguard_event_text_of(event, which))
    return words.decode(errors="replace")
