"""The token type is "Application Access Token"."""

from raw import answer, owner, token


def login(_, state):
    return token(state, token_type="Application Access Token", expires_in=7200)


def api(request, _):
    return owner() if request.bearer else answer(401, {"code": "authentication.required"})
