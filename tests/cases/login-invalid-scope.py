"""The login host rejects the scopes."""

from raw import answer


def login(*_):
    return answer(400, {"error": "invalid_scope",
                        "error_description": "One or more scopes are not known here"})


def api(*_):
    return answer(404)
