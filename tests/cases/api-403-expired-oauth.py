"""The API refuses an expired token with 403, an OAuth error body and no challenge."""

from raw import answer, owner, token


def login(_, state):
    return token(state)


def api(_, state):
    if state.issued > 1:
        return owner()
    return answer(403, {"error": "invalid_token",
                        "error_description": "The access token expired"})
