"""Both hosts send local time with its zone (two hours east). Their clocks are right."""

from raw import http_date, owner, token


def date(_):
    return http_date(7200).replace("GMT", "GMT+2")


def login(_, state):
    return token(state, date("login"))


def api(*_):
    return owner(date=date("api"))
