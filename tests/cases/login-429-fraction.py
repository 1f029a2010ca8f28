"""The login host's Retry-After is a fraction."""

from raw import answer


def login(*_):
    return answer(429, {"error": "too_many_requests", "error_description": "Limit reached"},
                  "Retry-After: 299.5")


def api(*_):
    return answer(404)
