"""The API refuses every token; only the body, an array, says why."""

from raw import answer, token


def login(_, state):
    return token(state)


def api(*_):
    return answer(401, [{"message": "This session is not valid for use with the REST API",
                         "errorCode": "INVALID_SESSION_ID"}])
