"""429 that does not say when to retry."""

from raw import answer, owner, token


def login(_, state):
    return token(state)


def api(request, _):
    if request.bearer is None:
        return owner()
    return answer(429, {"code": "too.many.requests"})
