"""The login host rejects the credentials with 200."""

from raw import answer


def login(*_):
    return answer(200, {"error": "incorrect_client_credentials",
                        "error_description": "The id or the secret is not right."})


def api(*_):
    return answer(404)
