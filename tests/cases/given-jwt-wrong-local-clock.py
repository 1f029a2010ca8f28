"""A JWT valid for 600 s that was obtained elsewhere, while the local clock is an hour off. The API,
whose clock is right, accepts it."""

import time

from raw import answer, claims_of, owner

HOUR_S, LIFE_S = 3600, 600


def login(*_):
    return answer(400, {"error": "invalid_client", "error_description": "nobody asks for a token"})


def api(request, _):
    claims = claims_of(request.bearer) if request.bearer else {"nbf": 0, "exp": 0}
    if claims["nbf"] <= time.time() < claims["exp"]:
        return owner()
    return answer(401, {"code": "bad.credentials"})
