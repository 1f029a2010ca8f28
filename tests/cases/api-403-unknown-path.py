"""A cloud gateway answers an unknown path with 403 and a message about a token."""

from raw import answer, token


def login(_, state):
    return token(state)


def api(*_):
    return answer(403, {"message": "Missing Authentication Token"},
                  "x-amzn-ErrorType: MissingAuthenticationTokenException",
                  "x-amzn-RequestId: 0000-3")
