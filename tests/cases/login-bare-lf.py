"""The lines of the login host's head end with a bare LF."""

import json

from raw import OPAQUE, owner

BODY = json.dumps({"access_token": f"{OPAQUE}1", "token_type": "Bearer",
                   "expires_in": 3600}).encode()


def login(*_):
    return b"HTTP/1.1 200 OK\nContent-Length: %d\nConnection: close\n\n%s" % (len(BODY), BODY)


def api(*_):
    return owner()
