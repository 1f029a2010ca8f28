"""There are two Content-Length fields with the same value."""

import json

from raw import OPAQUE, owner

BODY = json.dumps({"access_token": f"{OPAQUE}1", "token_type": "Bearer",
                   "expires_in": 3600}).encode()


def login(*_):
    return (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Length: %d\r\n\r\n%s"
            % (len(BODY), len(BODY), BODY))


def api(*_):
    return owner()
