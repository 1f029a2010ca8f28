"""The platform's answer to the right client in the wrong region, which does not mention regions."""

from raw import answer


def login(*_):
    return answer(401, {"error": "invalid_client", "description": "authentication failed",
                        "error_description": "authentication failed"})


def api(*_):
    return answer(404)
