"""The secret contains + / % : = and a space. The login host form-decodes both halves of Basic (RFC
6749 section 2.3.1)."""

import urllib.parse

from raw import CLIENT, answer, owner, token

KEY = "a+b/c%2F:d e="
ENVIRONMENT = {"GENESYS_CLOUD_CLIENT_SECRET": KEY, "SKEWGUARD_DIALECT": "rfc6749"}


def login(request, state):
    client, _, secret = map(urllib.parse.unquote_plus, request.basic.partition(":"))
    if (client, secret) == (CLIENT, KEY):
        return token(state)
    return answer(400, {"error": "unauthorized_client",
                        "error_description": "Unexpected error when authenticating client"})


def api(*_):
    return owner()
