"""The clocks are right; the Date fields have no weekday."""

from raw import http_date, owner, token


def date(_):
    return http_date()[5:]


def login(_, state):
    return token(state, date("login"))


def api(*_):
    return owner(date=date("api"))
