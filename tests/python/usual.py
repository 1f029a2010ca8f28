"""The wrapper that most programs have around their HTTP stack, to compare ours with.

It keeps its token until a 401. Then it compares the token's end with the wall clock, says "clock
skew detected" if that has not come, requests one new token and sends the request once more. It
never looks at the end of a token before it uses it.

`log_in()` returns a token answer as a dict; `send(token)` returns (status, answer).
"""

import asyncio
import base64
import json
import logging
import threading
import time

log = logging.getLogger("usual")


def end_of(login, now):
    """By the wall clock: a JWT's `exp`, otherwise `expires_in` from now."""
    parts = login["access_token"].split(".")
    if len(parts) != 3:
        return now + login["expires_in"]
    claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    return json.loads(claims)["exp"]


class Kept:
    """The token and its end."""

    def __init__(self):
        self.token, self.end = None, 0.0

    def put(self, login):
        self.token, self.end = login["access_token"], end_of(login, time.time())

    def explain_refusal(self):
        left = self.end - time.time()
        if left > 0:
            log.critical("clock skew detected: 401, but the token is valid for %.1f s more", left)
        else:
            log.warning("401: the token has expired")


class Wrapper(Kept):
    def __init__(self, log_in, send):
        super().__init__()
        self.log_in, self.send, self.lock = log_in, send, threading.Lock()

    def call(self):
        used = self.token or self.renew(None)
        status, answer = self.send(used)
        if status != 401:
            return status, answer
        self.explain_refusal()
        return self.send(self.renew(used))

    def renew(self, refused):
        """Threads that had the same token refused share one new one."""
        with self.lock:
            if self.token == refused:
                self.put(self.log_in())
            return self.token


class AsyncWrapper(Kept):
    """The same with coroutine functions. It is made where the loop runs."""

    def __init__(self, log_in, send):
        super().__init__()
        self.log_in, self.send, self.lock = log_in, send, asyncio.Lock()

    async def call(self):
        used = self.token or await self.renew(None)
        status, answer = await self.send(used)
        if status != 401:
            return status, answer
        self.explain_refusal()
        return await self.send(await self.renew(used))

    async def renew(self, refused):
        async with self.lock:
            if self.token == refused:
                self.put(await self.log_in())
            return self.token
