"""429 with a Retry-After that RFC 9110 does not allow."""

from raw import answer, owner, token


def login(_, state):
    return token(state)


def api(request, _):
    if request.bearer is None:
        return owner()
    return answer(429, {"code": "too.many.requests"}, "Retry-After: 60 seconds")
