"""expires_in is 0, but the token is valid."""

from raw import answer, owner, token


def login(_, state):
    return token(state, expires_in=0)


def api(request, _):
    return owner() if request.bearer else answer(401, {"code": "authentication.required"})
