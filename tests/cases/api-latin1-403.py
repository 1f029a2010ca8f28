"""The API's error is ISO 8859-1, as its Content-Type says."""

from raw import answer, token


def login(_, state):
    return token(state)


def api(*_):
    error = ('{"code":"missing.any.permissions","message":"Il vous manque la permission '
             'r\xe9serv\xe9e analytics:conversationDetail:view"}')
    return answer(403, error.encode("latin-1"),
                  content_type="application/json;charset=ISO-8859-1")
