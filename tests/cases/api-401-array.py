"""A CRM reports errors as an array; it accepts the second token."""

from raw import answer, owner, token


def login(_, state):
    return token(state)


def api(_, state):
    if state.issued > 1:
        return owner()
    return answer(401, [{"message": "Session expired or invalid",
                         "errorCode": "INVALID_SESSION_ID"}])
