"""The login host reports its rate limit as 403 with the known text, without Retry-After."""

from raw import answer, owner


def login(*_):
    return answer(403, {"error": "invalid_request", "error_description": "rate limit exceeded"})


def api(*_):
    return owner()
