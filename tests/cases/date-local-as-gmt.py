"""Both hosts send local time (two hours east) labeled GMT. The tokens are good."""

from raw import http_date, owner, token


def date(_):
    return http_date(7200)


def login(_, state):
    return token(state, date("login"))


def api(*_):
    return owner(date=date("api"))
