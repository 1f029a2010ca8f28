"""The token type is BearerToken, the lifetime a string."""

from raw import answer, owner, token


def login(_, state):
    return token(state, token_type="BearerToken", expires_in="3599")


def api(request, _):
    return owner() if request.bearer else answer(401, {"code": "authentication.required"})
