"""The description of the OAuth error is ISO 8859-1, as its Content-Type says."""

from raw import answer


def login(*_):
    return answer(400, b'{"error":"invalid_client","error_description":"client non trouv\xe9"}',
                  content_type="application/json;charset=ISO-8859-1")


def api(*_):
    return answer(404)
