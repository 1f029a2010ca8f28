"""Two interim answers come before the token, and its status is 201. The API answers 204 to
everything except the request for the token's owner."""

import json

from raw import OPAQUE, owner

BODY = json.dumps({"access_token": f"{OPAQUE}1", "token_type": "Bearer",
                   "expires_in": 3600}).encode()


def login(*_):
    return (b"HTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
            b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))


def api(request, _):
    return owner() if request.target.endswith("/me") else b"HTTP/1.1 204 X\r\n\r\n"
