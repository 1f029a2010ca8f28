"""The login host gives its explanation in a nonstandard member, reason."""

from raw import answer


def login(*_):
    return answer(400, {"reason": "The id or the secret is not right", "error": "invalid_client"})


def api(*_):
    return answer(404)
