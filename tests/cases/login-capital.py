"""The member names are in camel case."""

from raw import OPAQUE, answer, owner


def login(*_):
    return answer(200, {"accessToken": f"{OPAQUE}1", "tokenType": "Bearer", "expiresIn": 3600})


def api(*_):
    return owner()
