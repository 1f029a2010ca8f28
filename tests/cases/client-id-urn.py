"""The client id is a URN. The login host form-decodes both halves of Basic (RFC 6749
section 2.3.1)."""

import urllib.parse

from raw import answer, owner, token

ID, KEY = "urn:app:demo", "a+b/c%2F:d e="
ENVIRONMENT = {"GENESYS_CLOUD_CLIENT_ID": ID, "GENESYS_CLOUD_CLIENT_SECRET": KEY,
               "SKEWGUARD_DIALECT": "rfc6749"}


def login(request, state):
    client, _, secret = map(urllib.parse.unquote_plus, request.basic.partition(":"))
    if (client, secret) == (ID, KEY):
        return token(state)
    return answer(401, {"error": "invalid_client", "error_description": f"unknown client {client}"})


def api(*_):
    return owner()
