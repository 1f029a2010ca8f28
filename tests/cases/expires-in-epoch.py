"""expires_in is a point in time (seconds since 1970), not a duration. The token is valid for 8
s."""

import time

from raw import OPAQUE, answer, owner, token


def login(_, state):
    state.end = time.time() + 8
    return token(state, expires_in=int(state.end))


def api(request, state):
    if request.bearer == f"{OPAQUE}{state.issued}" and time.time() < state.end:
        return owner()
    return answer(401, {"code": "bad.credentials", "message": "Invalid login credentials."})
