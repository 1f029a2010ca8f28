"""The certificates of the login and API host are valid, but a certificate of their chain, or of the
local bundle, has expired (tests/integration/chains.py)."""

from raw import owner, token


def login(_, state):
    return token(state)


def api(*_):
    return owner()
