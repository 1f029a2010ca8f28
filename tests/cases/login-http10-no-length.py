"""HTTP/1.0 without a length, a wrong content type, a byte order mark, a type in capitals, a quoted
lifetime."""

import json

from raw import OPAQUE, owner

BODY = json.dumps({"access_token": f"{OPAQUE}1", "token_type": "BEARER", "expires_in": "3600"})


def login(*_):
    return (b"HTTP/1.0 200 OK\r\nContent-Type: text/plain;charset=ISO-8859-1\r\n"
            b"X-Owner: J\xf6rg\r\nConnection: close\r\n\r\n\xef\xbb\xbf%s\n" % BODY.encode())


def api(*_):
    return owner()
