"""The API answers 200 with an error in the body: the token has expired."""

from raw import answer, owner, token


def login(_, state):
    return token(state)


def api(_, state):
    if state.issued > 1:
        return owner()
    return answer(200, {"error": {"code": "InvalidAuthenticationToken",
                                  "message": "Access token has expired."}})
