"""429 with a delay of half a second; the limit is really that long."""

import time

from raw import answer, owner, token


def login(_, state):
    state.limited_until = None
    return token(state)


def api(request, state):
    if request.bearer is None:
        return owner()
    now = time.monotonic()
    state.limited_until = state.limited_until or now + 0.503
    if now > state.limited_until:
        return owner()
    return answer(429, {"code": "too.many.requests"},
                  f"Retry-After: {state.limited_until - now:.3f}")
