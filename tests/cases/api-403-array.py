"""A CRM reports a missing permission as an array."""

from raw import answer, token


def login(_, state):
    return token(state)


def api(*_):
    return answer(403, [{"message": "The REST API is not enabled for this organization",
                         "errorCode": "API_DISABLED_FOR_ORG"}])
