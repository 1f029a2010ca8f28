"""The token answer has both a Content-Length and a Transfer-Encoding."""

import json

from raw import OPAQUE, owner

BODY = json.dumps({"access_token": f"{OPAQUE}1", "token_type": "Bearer",
                   "expires_in": 3600}).encode()


def login(*_):
    return (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), len(BODY), BODY))


def api(*_):
    return owner()
