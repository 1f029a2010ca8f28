"""A gateway answers each request with its sign-in page and 200."""

from raw import answer, token


def login(_, state):
    return token(state)


def api(*_):
    return answer(200, "<!doctype html><html><title>Sign in</title></html>",
                  content_type="text/html")
