"""The API judges each client's first token to have expired, and says so with 403."""

from raw import answer, owner, token


def login(_, state):
    return token(state)


def api(_, state):
    if state.issued > 1:
        return owner()
    return answer(403, {"code": "token.expired", "message": "The access token has expired"})
