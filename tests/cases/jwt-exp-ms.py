"""exp is in milliseconds; the answer has no expires_in."""

import time

from raw import answer, jwt, owner


def login(*_):
    now = int(time.time())
    return answer(200, {"access_token": jwt(iat=now, exp=(now + 600) * 1000),
                        "token_type": "Bearer"})


def api(*_):
    return owner()
