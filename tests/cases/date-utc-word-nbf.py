"""The login host is 8 s ahead of the API, which is strict about nbf. The Date fields of both say
UTC instead of GMT."""

import time

from raw import answer, claims_of, http_date, jwt, owner, token

AHEAD = 8


def date(host):
    return http_date(AHEAD if host == "login" else 0).replace("GMT", "UTC")


def login(_, state):
    now = int(time.time() + AHEAD)
    return token(state, date("login"), expires_in=600,
                 access_token=jwt(iat=now, nbf=now, exp=now + 600, n=state.issued))


def api(request, _):
    if request.bearer is None:
        return answer(401, {"code": "authentication.required"}, date=date("api"))
    claims = claims_of(request.bearer)
    if claims["nbf"] <= int(time.time()) < claims["exp"]:
        return owner(date=date("api"))
    return answer(401, {"code": "bad.credentials"}, date=date("api"))
