"""A firewall rejects every request with its own page."""

from raw import answer, token


def login(_, state):
    return token(state)


def api(*_):
    return answer(403, "<html><head><title>Request blocked</title></head>"
                  "<body>Your address is not allowed.</body></html>",
                  "Server: edge", "X-Request-Id: ray-1234", content_type="text/html")
