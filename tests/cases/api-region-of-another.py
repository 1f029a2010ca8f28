"""The token is from one region, the API host is in another: refused for good."""

from raw import OPAQUE, answer, token


def login(_, state):
    return token(state, access_token=f"{OPAQUE}same")


def api(*_):
    return answer(401, {"code": "bad.credentials", "status": 401, "contextId": "0000-2",
                        "message": "Invalid login credentials."})
