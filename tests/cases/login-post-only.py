"""The login host accepts id and secret only in the form (client_secret_post)."""

import urllib.parse

from raw import CLIENT, SECRET, answer, owner, token

ENVIRONMENT = {"SKEWGUARD_CLIENT_AUTH": "post"}


def login(request, state):
    form = dict(urllib.parse.parse_qsl(request.body.decode()))
    if (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET):
        return token(state)
    return answer(401, {"error": "invalid_client", "error_description":
                        "The client_id and client_secret must be in the request body"})


def api(*_):
    return owner()
