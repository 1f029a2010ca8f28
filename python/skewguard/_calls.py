"""Calls of the C library, driven from Python.

`Call` asks one call what to do next. `Exchange` is one request of the program's own HTTP stack: it
is sent with a lease, and a call judges the answer only if that may be about the token.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Callable, List, Optional, Tuple, Type, Union

from ._arguments import text
from ._errors import CLASSES, Classes, Error, Slot, from_native
from ._events import Events
from ._handle import Handle, Lease
from ._native import ffi, lib
from ._report import Report, read_report
from ._types import Fields, Headers
from ._waiting import AsyncWaiter, Waiter, tags

# The most of an error's body that the library looks at.
_JUDGED_BYTES = 64 * 1024
# Of a success only these fields tell anything: its Date, and whether it comes from a cache.
_OF_A_SUCCESS = (b"date", b"age")


def read_clocks() -> Any:
    """A reading of all local clocks now."""
    now = ffi.new("skewguard_moment*")
    lib.skewguard_read_clocks(now)
    return now


class Answer:
    """An answer to one send, for the C library. It holds everything that it points at."""

    __slots__ = ("native", "_held")

    def __init__(self, status: int, fields: Fields, sent: Any, received: Any,
                 body: bytes = b"") -> None:
        native = ffi.new("skewguard_answer*")
        array = ffi.new("skewguard_field[]", len(fields))
        held: List[object] = [array]
        for at, (name, value) in enumerate(fields):
            one = array[at]
            one.name = key = ffi.from_buffer(name)
            one.name_size = len(name)
            one.value = words = ffi.from_buffer(value)
            one.value_size = len(value)
            held += (key, words)
        native.size = ffi.sizeof("skewguard_answer")
        native.fields = array
        native.field_count = len(fields)
        native.status = status
        native.sent = sent[0]
        native.received = received[0]
        if body:
            seen = ffi.from_buffer(body)
            native.body = seen
            native.body_size = min(len(body), _JUDGED_BYTES)
            held.append(seen)
        self.native: Any = native
        self._held = held


Begin = Callable[[Any, int, Any], Any]


class Call:
    """One call of the C library: `with Call(...) as call: while call.wait(): send, then answer`.

    One thread or task at a time. However it is left, the call is freed, which cancels it if it is
    not done."""

    def __init__(self, events: Events, waiter: Union[Waiter, AsyncWaiter], begin: Begin,
                 classes: Classes = CLASSES) -> None:
        self._events = events
        self._waiter = waiter
        self._classes = classes
        self._tag = next(tags)
        self._pid = os.getpid()
        slot = Slot(classes)
        try:
            handle = begin(waiter.queue.handle, self._tag, slot.out)
            slot.check()
        except BaseException:
            waiter.close()
            raise
        self.handle: Any = ffi.gc(handle, lib.skewguard_call_free)

    def __enter__(self) -> Call:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Frees the call; cancels it if it is not done."""
        if self.handle is None:
            return
        ffi.release(self.handle)
        self.handle = None
        if os.getpid() == self._pid:
            self._waiter.close()

    def _next(self) -> int:
        state: int = lib.skewguard_call_next(self.handle, 0)
        self._events.deliver()
        return state

    def wait(self) -> bool:
        """Blocks until there is something to do. True: send; False: done."""
        assert isinstance(self._waiter, Waiter)
        while True:
            state = self._next()
            if state != lib.SKEWGUARD_WAITING:
                return state == int(lib.SKEWGUARD_SEND)
            self._waiter.wait()

    async def async_wait(self) -> bool:
        """The same on the running asyncio loop."""
        assert isinstance(self._waiter, AsyncWaiter)
        while True:
            state = self._next()
            if state != lib.SKEWGUARD_WAITING:
                return state == int(lib.SKEWGUARD_SEND)
            await self._waiter.wait(self._tag)

    @property
    def authorization(self) -> str:
        """The Authorization value for the send that is due."""
        value: bytes = ffi.string(lib.skewguard_call_authorization(self.handle))
        return value.decode("latin-1")

    def answer(self, answer: Answer) -> None:
        """The answer to the send that is due. If none is due any more, because the client has been
        closed meanwhile, the call is done."""
        slot = Slot(self._classes)
        lib.skewguard_call_answer(self.handle, answer.native, slot.out)
        if lib.skewguard_call_next(self.handle, 0) == lib.SKEWGUARD_SEND:
            slot.check()  # still due
        slot.drop()

    def bytes_of(self, which: int) -> bytes:
        """One of the results; empty if there is none."""
        size = ffi.new("size_t*")
        start = lib.skewguard_call_bytes(self.handle, which, size)
        return bytes(ffi.buffer(start, size[0])) if start != ffi.NULL else b""

    @property
    def status(self) -> int:
        """The HTTP status of the API's last answer; 0 if there is none."""
        return int(lib.skewguard_call_status(self.handle))

    @property
    def error(self) -> Optional[Error]:
        """Why the call failed; None if it did not."""
        error = lib.skewguard_call_error(self.handle)
        return None if error == ffi.NULL else from_native(error, self._classes)

    @property
    def report(self) -> Optional[Report]:
        """The report of the call; None if it has none."""
        found = self.bytes_of(lib.SKEWGUARD_RESULT_REPORT)
        return read_report(found.decode(errors="replace"))

    @property
    def headers(self) -> Headers:
        """The header fields of the API's last answer."""
        found: List[Tuple[str, str]] = []
        one = ffi.new("skewguard_field*")
        while lib.skewguard_call_field(self.handle, len(found), one):
            found.append((bytes(ffi.buffer(one.name, one.name_size)).decode("latin-1"),
                          bytes(ffi.buffer(one.value, one.value_size)).decode("latin-1")))
        return Headers(found)


class Exchange:
    """One request of the program's own HTTP stack.

        with client._exchange("GET", path) as exchange:
            while exchange.due():                  # or: await exchange.async_due()
                response = ...                     # send with exchange.authorization
                if exchange.head(status, fields):  # its body is needed
                    exchange.body(...)
        exchange.error, exchange.report

    One thread or task at a time. After an answer that is not about the token nothing more is due,
    and no other thread took part.
    """

    __slots__ = ("_handle", "_events", "_method", "_path", "_flags", "_classes", "_lease", "_call",
                 "_sent", "_received", "_head", "_first", "over", "authorization", "error",
                 "report")

    def __init__(self, handle: Handle, events: Events, method: str, path: str, *,
                 replayable: bool = True, classes: Classes = CLASSES) -> None:
        self._handle = handle
        self._events = events
        self._method = text("method", method, classes)
        self._path = text("path", path, classes)
        # The time-outs of a send are those of the program's HTTP stack.
        self._flags: int = lib.SKEWGUARD_UNLIMITED_SENDS
        if not replayable:
            self._flags |= lib.SKEWGUARD_NOT_REPLAYABLE
        self._classes = classes
        self._lease: Optional[Lease] = None
        self._call: Optional[Call] = None
        self._sent: Any = None
        self._received: Any = None
        self._head: Tuple[int, Fields] = (0, ())
        self._first: Optional[Answer] = None
        #: Nothing more is due.
        self.over = False
        #: The value of the Authorization header for the send that is due.
        self.authorization = ""
        #: Why the call failed; None if it did not, or has not ended.
        self.error: Optional[Error] = None
        #: The report of a call that met a rejection; otherwise None.
        self.report: Optional[Report] = None

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Ends the exchange, done or not."""
        self.over = True
        if self._call is not None:
            self._call.close()
            self._call = None

    def follow(self, before: Exchange, authorization: Optional[str]) -> bool:
        """The request has already been sent with this, after `before`, which is over; False if that
        is no present token."""
        self._lease = self._handle.lease()
        if self._lease is None or self._lease.authorization != authorization:
            self.over = True
            return False
        self._sent = before._sent  # or later: this makes what its Date says less exact, not wrong
        return True

    def _send_with_lease(self) -> bool:
        """Whether there is a token that can be sent at once."""
        if self._lease is not None or self._call is not None or self._first is not None:
            return False
        self._lease = self._handle.lease()
        if self._lease is None:
            return False
        return self._send(self._lease.authorization)

    def _send(self, authorization: str) -> bool:
        self.authorization = authorization
        self._sent = read_clocks()
        return True

    def _begin(self, waiter: Union[Waiter, AsyncWaiter]) -> Call:
        self._events.listen()
        method, path = self._method, self._path
        native, first, lease = self._handle.open(), self._first, self._lease
        self._first = None

        def begin(queue: Any, tag: int, out: Any) -> Any:
            if first is None or lease is None:
                return lib.skewguard_guard_begin(native, method, path, self._flags, -1, queue, tag,
                                                 out)
            return lib.skewguard_guard_begin_with(native, method, path, self._flags, -1,
                                                  lease.generation, first.native, queue, tag, out)

        return Call(self._events, waiter, begin, self._classes)

    def _after(self, due: bool) -> bool:
        assert self._call is not None
        if due:
            return self._send(self._call.authorization)
        self.error = self._call.error
        report = self._call.report
        if report is not None and (report["verdict"] != "ok" or self.error is not None):
            self.report = report
        self.close()
        return False

    def _is_over(self) -> bool:
        """Nothing more is due. Nor is it if the client was closed while an answer is there."""
        return self.over or (self._first is not None and self._handle.native is None)

    def due(self) -> bool:
        """Blocks until the request has to be sent: True, or until nothing more is due: False."""
        if self._is_over():
            return False
        if self._send_with_lease():
            return True
        if self._call is None:
            self._call = self._begin(Waiter())
        return self._after(self._call.wait())

    async def async_due(self) -> bool:
        """The same on the running asyncio loop."""
        if self._is_over():
            return False
        if self._send_with_lease():
            return True
        if self._call is None:
            self._call = self._begin(AsyncWaiter())
        return self._after(await self._call.async_wait())

    def head(self, status: int, fields: Fields) -> bool:
        """The head of the answer to the send that was due, to be given as soon as it is there.
        True: the body is needed as well."""
        lease = self._lease if self._call is None else None
        if lease is not None and status < 300 and not lease.is_news():
            self.over = True
            self._events.deliver()
            return False
        self._received = read_clocks()
        if lease is not None and not self._is_judged(lease, status, fields):
            self.over = True
            return False
        # Bodies are given decoded.
        self._head = (status, [one for one in fields if one[0].lower() != b"content-encoding"])
        if status >= 400:
            return True
        self.body(b"")
        return False

    def _is_judged(self, lease: Lease, status: int, fields: Fields) -> bool:
        """Whether an answer to a request with a lease may be about the token."""
        if status < 400:
            fields = [one for one in fields if one[0].lower() in _OF_A_SUCCESS]
        answer = Answer(status, fields, self._sent, self._received)
        native = self._handle.native
        if native is None:  # closed while the request was under way
            return False
        observed: int = lib.skewguard_observe(native, lease.generation, answer.native)
        self._events.deliver()
        return observed == int(lib.SKEWGUARD_JUDGE)

    def body(self, body: bytes) -> None:
        """The body that head() asked for; of a long one its beginning will do."""
        status, fields = self._head
        answer = Answer(status, fields, self._sent, self._received, body)
        if self._call is None:
            self._first = answer
        else:
            self._call.answer(answer)

    def foreign(self) -> None:
        """Another host than the API's has answered, after a redirect. Its answer is passed on, and
        nothing is concluded from it."""
        self.close()
