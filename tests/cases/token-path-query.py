"""The token path has a query."""

from raw import answer, owner, token

PATH = "/am/oauth2/access_token?realm=/alpha"
ENVIRONMENT = {"SKEWGUARD_TOKEN_PATH": PATH}


def login(request, state):
    if request.target == PATH:
        return token(state)
    return answer(404, {"error": "not_found", "error_description": request.target})


def api(*_):
    return owner()
