"""Something on the way removes the Authorization field: the API never sees a token."""

from raw import OPAQUE, answer, token


def login(_, state):
    return token(state, access_token=f"{OPAQUE}same")


def api(*_):
    return answer(401, {"code": "authentication.required", "status": 401, "contextId": "0000-1",
                        "message": "No authentication bearer token specified in authorization "
                                   "header."})
