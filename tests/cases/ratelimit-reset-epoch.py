"""429 without Retry-After; X-Rate-Limit-Reset says when, in seconds since 1970 (in 300 s)."""

import time

from raw import answer, owner, token


def login(_, state):
    return token(state)


def api(request, _):
    if request.bearer is None:
        return owner()
    return answer(429, {"errorCode": "E0000047"}, "X-Rate-Limit-Limit: 600",
                  "X-Rate-Limit-Remaining: 0", f"X-Rate-Limit-Reset: {int(time.time()) + 300}")
