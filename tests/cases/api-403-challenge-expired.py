"""The API refuses an expired token with 403 and a challenge of RFC 6750."""

from raw import answer, owner, token


def login(_, state):
    return token(state)


def api(_, state):
    if state.issued > 1:
        return owner()
    return answer(403, b"", 'WWW-Authenticate: Bearer error="invalid_token", '
                  'error_description="The access token has expired"')
