"""The token is nested one level deeper, as some gateways wrap it."""

from raw import OPAQUE, answer, owner


def login(*_):
    return answer(200, {"code": 0, "msg": "ok",
                        "data": {"access_token": f"{OPAQUE}1", "expires_in": 7200}})


def api(*_):
    return owner()
