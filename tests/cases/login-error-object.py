"""The OAuth error is an object."""

from raw import answer


def login(*_):
    return answer(401, {"error": {"code": "invalid_client",
                                  "message": "The client secret has run out."}})


def api(*_):
    return answer(404)
