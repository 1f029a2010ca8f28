"""How Python waits for calls: on a queue's descriptor, so that signals and event loops work.

A blocking call borrows a queue of its own. All calls of an asyncio loop share one, which is there
as long as one of them waits. No thread is started.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import select
from typing import Any, Dict, List, Optional

from ._errors import Slot
from ._native import ffi, lib

_POPPED_AT_ONCE = 64
_SPARE_QUEUES = 16  # what is kept for the next blocking calls
tags = itertools.count(1)


class Queue:
    """A queue of the C library, for calls of one thread at a time."""

    __slots__ = ("handle", "fd", "_tags")

    def __init__(self) -> None:
        slot = Slot()
        handle = lib.skewguard_queue_new(slot.out)
        slot.check()
        self.handle: Any = ffi.gc(handle, lib.skewguard_queue_free)
        self.fd: int = lib.skewguard_queue_fd(self.handle)
        self._tags = ffi.new("uint64_t[]", _POPPED_AT_ONCE)

    def pop(self) -> List[int]:
        """The tags of calls that have something new. Never waits."""
        popped: List[int] = []
        while True:
            count: int = lib.skewguard_queue_pop(self.handle, self._tags, _POPPED_AT_ONCE)
            popped.extend(self._tags[0:count])
            if count < _POPPED_AT_ONCE:
                return popped

    def close(self) -> None:
        """Frees the queue and its descriptor."""
        ffi.release(self.handle)


class Waiter:
    """Waits for one blocking call. Signal handlers of Python run meanwhile, and may raise."""

    _spare: List[Queue] = []
    #: The interpreter ends. Only daemon threads still wait; they never get any further, as anything
    #: that they print or raise now could abort the process.
    parked = False

    def __init__(self) -> None:
        try:
            self.queue = self._spare.pop()
        except IndexError:
            self.queue = Queue()

    def wait(self) -> None:
        """Returns when the call may have something new."""
        poll = select.poll()
        poll.register(self.queue.fd, select.POLLIN)
        poll.poll()
        self.queue.pop()
        if self.parked:
            select.poll().poll()

    def close(self) -> None:
        """Gives the queue back. The call no longer refers to it."""
        self.queue.pop()
        if len(self._spare) < _SPARE_QUEUES:
            self._spare.append(self.queue)
        else:
            self.queue.close()


class _LoopQueue:
    """The queue of all calls of one asyncio loop, and the one reader of its descriptor."""

    running: Dict[asyncio.AbstractEventLoop, _LoopQueue] = {}

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.queue = Queue()
        self.users = 0
        self.waiting: Dict[int, asyncio.Future[None]] = {}
        self._loop = loop
        self._pid = os.getpid()
        loop.add_reader(self.queue.fd, self._wake)
        self.running[loop] = self

    @classmethod
    def forget_closed(cls) -> None:
        """Drops the queues of loops that were closed while a call waited; nothing else does."""
        for loop in [one for one in list(cls.running) if one.is_closed()]:
            cls.running.pop(loop, None)

    def _wake(self) -> None:
        for tag in self.queue.pop():
            future = self.waiting.get(tag)
            if future is not None and not future.done():
                future.set_result(None)

    def leave(self) -> None:
        """One user less; the last one takes the queue along."""
        self.users -= 1
        if self.users or self.running.get(self._loop) is not self:
            return
        del self.running[self._loop]
        self._loop.remove_reader(self.queue.fd)
        self.queue.close()


class AsyncWaiter:
    """Waits for one call of a task on the running asyncio loop."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        if loop not in _LoopQueue.running:
            _LoopQueue.forget_closed()
        self._shared = _LoopQueue.running.get(loop) or _LoopQueue(loop)
        self._shared.users += 1
        self._loop = loop
        self.tag: Optional[int] = None

    @property
    def queue(self) -> Queue:
        """The loop's queue."""
        return self._shared.queue

    async def wait(self, tag: int) -> None:
        """Returns when the call with this tag may have something new."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._shared.waiting[tag] = future
        try:
            await future
        finally:
            del self._shared.waiting[tag]

    def close(self) -> None:
        """This call no longer refers to the queue."""
        self._shared.leave()


def _begin_anew() -> None:
    """In a forked child: nothing waits here, and the parent's queues are not for its calls."""
    Waiter._spare = []
    _LoopQueue.running = {}


os.register_at_fork(after_in_child=_begin_anew)
