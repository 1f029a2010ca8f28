"""The clocks are right; the weekday is that of the next day, as one proxy wrote it."""

from raw import http_date, owner, token


def date(_):
    return http_date(86400)[:5] + http_date()[5:]


def login(_, state):
    return token(state, date("login"))


def api(*_):
    return owner(date=date("api"))
