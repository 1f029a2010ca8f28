"""There are two Transfer-Encoding fields, but the body is chunked once, as from a proxy that adds
the field again."""

import json

from raw import OPAQUE, owner

BODY = json.dumps({"access_token": f"{OPAQUE}1", "token_type": "Bearer",
                   "expires_in": 3600}).encode()


def login(*_):
    return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))


def api(*_):
    return owner()
