"""Ends clients while their calls wait, with hooks set. Each way 100 times, in processes of their
own where the process ends with it.

    endings.py LOGIN_URL API_URL WAY    prints how long the slowest took, in seconds

The API answers nothing, so a call that is not ended waits for half a minute.
"""

import asyncio
import gc
import os
import sys
import threading
import time

import skewguard

LOGIN_URL, API_URL = sys.argv[1:3]
TIMES = 100


def client(**hooks):
    return skewguard.Client(login_url=LOGIN_URL, api_url=API_URL, client_id="demo",
                            client_secret="demo-secret", token_store="none",
                            **{"on_rejection": print, "on_resolved": print, **hooks})


def dropped_while_a_task_waits():
    """del client: the task's call is its only user."""
    async def run():
        one = client()
        task = asyncio.ensure_future(one.aget("/x"))
        del one
        await asyncio.sleep(0)
        gc.collect()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
    asyncio.run(run())


def dropped_while_a_thread_waits():
    """close() and del from another thread: the call ends with CancelledError."""
    ended = []
    began = threading.Event()
    one = client()

    def send(bearer):
        began.set()
        return 401, {"WWW-Authenticate": "Bearer"}, b""

    def wait(user):
        try:
            user.guard(send)
        except skewguard.CancelledError as error:
            ended.append(error.kind)

    thread = threading.Thread(target=wait, args=(one,))
    thread.start()
    began.wait()
    one.close()
    del one
    gc.collect()
    thread.join()
    assert not ended  # there was an answer, which is returned


def collected_from_a_cycle():
    """gc.collect() finds a client that its own hook refers to."""
    class Owner:
        def __init__(self):
            self.client = client(on_rejection=self.hook)

        def hook(self, rejection):
            gc.collect()

    async def run():
        owner = Owner()
        task = asyncio.ensure_future(owner.client.aget("/x"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        del owner, task
        gc.collect()
    asyncio.run(run())


def exits_while_a_thread_waits():
    """sys.exit() with a call on a daemon thread."""
    one = client()
    threading.Thread(target=one.get, args=("/x",), daemon=True).start()
    time.sleep(0.001 * (os.getpid() % 20))  # wherever the call is by then
    sys.exit(0)


def exits_while_a_task_waits():
    async def run():
        one = client()
        task = asyncio.ensure_future(one.aget("/x"))
        await asyncio.sleep(0)
        sys.exit(0 if not task.done() else 1)
    asyncio.run(run())


def exits_from_send():
    client().guard(lambda bearer: sys.exit(0))


def in_a_child(way):
    child = os.fork()
    if child == 0:
        way()
        raise SystemExit(1)  # it should have ended
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, os.waitstatus_to_exitcode(status)


def main():
    way = globals()[sys.argv[3]]
    slowest = 0.0
    for _ in range(TIMES):
        start = time.monotonic()
        if way.__name__.startswith("exits"):
            in_a_child(way)
        else:
            way()
        slowest = max(slowest, time.monotonic() - start)
    print(slowest)


if __name__ == "__main__":
    main()
