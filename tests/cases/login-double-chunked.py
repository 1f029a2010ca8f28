"""The Transfer-Encoding stands there twice, the body is chunked once: so a proxy that adds the
field leaves it."""

import json

from raw import OPAQUE, owner

BODY = json.dumps({"access_token": f"{OPAQUE}1", "token_type": "Bearer",
                   "expires_in": 3600}).encode()


def login(*_):
    return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))


def api(*_):
    return owner()
