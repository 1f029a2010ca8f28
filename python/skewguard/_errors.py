"""The errors: one class for each kind, sorted by what the caller should do next."""

from __future__ import annotations

from types import TracebackType
from typing import Any, ClassVar, Mapping, Optional, Type

from ._native import ffi, lib
from ._report import Report, read_report


class Error(Exception):
    """Why a call failed, in one plain sentence. Never contains a secret or a token."""

    #: "config", "credentials", "clock", "forbidden", "throttled", "unavailable", "timeout",
    #: "protocol" or "cancelled".
    kind: ClassVar[str] = ""

    def __init__(self, message: str, *, remedy: str = "",
                 report: Optional[Report] = None) -> None:
        super().__init__(message)
        #: What a person can do about it; may be empty.
        self.remedy: str = remedy
        #: The report of the call; None if no call was made.
        self.report: Optional[Report] = report

    def __str__(self) -> str:
        message = str(self.args[0]) if self.args else ""
        if not self.remedy:
            return message
        if not message.endswith("."):
            return f"{message}: {self.remedy}"
        stop = "" if self.remedy.endswith(".") else "."
        return f"{message} {self.remedy[0].upper()}{self.remedy[1:]}{stop}"


class ConfigError(Error):
    """Wrong usage or settings; nothing was sent: correct them."""

    kind = "config"


class CredentialsError(Error):
    """The identity is rejected: a person must act; do not retry."""

    kind = "credentials"


class ClockError(Error):
    """Only correcting a clock cures it: the message says whose."""

    kind = "clock"


class ForbiddenError(Error):
    """The token is good but may not do this."""

    kind = "forbidden"


class ThrottledError(Error):
    """Rate limited past the deadline: try later."""

    kind = "throttled"


class UnavailableError(Error):
    """No answer, or the login host stays down: try later."""

    kind = "unavailable"


class TimeoutError(Error):
    """The deadline passed before an answer arrived."""

    kind = "timeout"


class ProtocolError(Error):
    """An answer came that cannot be used."""

    kind = "protocol"


class CancelledError(Error):
    """The caller cancelled, or the client was closed."""

    kind = "cancelled"


#: The class of each kind.
Classes = Mapping[str, Type[Error]]


def by_kind(*classes: Type[Error]) -> Classes:
    """The classes by the kind of each."""
    return {one.kind: one for one in classes}


CLASSES = by_kind(ConfigError, CredentialsError, ClockError, ForbiddenError, ThrottledError,
                  UnavailableError, TimeoutError, ProtocolError, CancelledError)


class ClosedError(RuntimeError):
    """The Client has been closed. Adapters raise CancelledError instead."""

    def __init__(self) -> None:
        super().__init__("this skewguard.Client has been closed")


class RaisedAs:
    """`with RaisedAs(classes, request)`: errors leave it as those of an adapter, whose `request` is
    set."""

    __slots__ = ("_classes", "_request")

    def __init__(self, classes: Classes, request: object) -> None:
        self._classes = classes
        self._request = request

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if not isinstance(error, (Error, ClosedError)):
            return
        if kind in self._classes.values():
            setattr(error, "request", self._request)
            return
        made = (self._classes["cancelled"](str(error)) if isinstance(error, ClosedError) else
                self._classes[error.kind](str(error.args[0]), remedy=error.remedy,
                                          report=error.report))
        setattr(made, "request", self._request)
        raise made from error


def text_of(error: Any, which: int) -> str:
    """One text of an error of the C library."""
    words: bytes = ffi.string(lib.skewguard_error_text_of(error, which))
    return words.decode(errors="replace")


def from_native(error: Any, classes: Classes = CLASSES) -> Error:
    """The exception for an error of the C library, which stays its owner's."""
    kind = ffi.string(lib.skewguard_name(lib.SKEWGUARD_NAMES_ERROR_KIND,
                                         lib.skewguard_error_kind_of(error))).decode()
    return classes[kind](text_of(error, lib.SKEWGUARD_ERROR_MESSAGE),
                         remedy=text_of(error, lib.SKEWGUARD_ERROR_REMEDY),
                         report=read_report(text_of(error, lib.SKEWGUARD_ERROR_REPORT)))


class Slot:
    """Where a C function leaves its error: `lib.f(..., slot.out)`, then `slot.check()`."""

    __slots__ = ("_classes", "out")

    def __init__(self, classes: Classes = CLASSES) -> None:
        self._classes = classes
        self.out: Any = ffi.new("skewguard_error**")

    def drop(self) -> None:
        """Forgets the error if there is one."""
        lib.skewguard_error_free(self.out[0])
        self.out[0] = ffi.NULL

    def check(self) -> None:
        """Raises the error if there is one."""
        if self.out[0] == ffi.NULL:
            return
        error = ffi.gc(self.out[0], lib.skewguard_error_free)
        self.out[0] = ffi.NULL
        raise from_native(error, self._classes)
