"""The login host rejects the client with 403 and an OAuth error."""

from raw import answer


def login(*_):
    return answer(403, {"error": "access_denied", "error_description":
                        "This client has no grant for the audience it asks for."})


def api(*_):
    return answer(404)
