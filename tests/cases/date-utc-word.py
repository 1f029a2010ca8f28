"""The clocks are right; the Date fields say UTC instead of GMT."""

from raw import http_date, owner, token


def date(_):
    return http_date().replace("GMT", "UTC")


def login(_, state):
    return token(state, date("login"))


def api(*_):
    return owner(date=date("api"))
