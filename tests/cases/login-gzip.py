"""The login host compresses its answer although nobody asked for that."""

import gzip
import json

from raw import OPAQUE, answer, owner


def login(*_):
    body = {"access_token": f"{OPAQUE}1", "token_type": "Bearer", "expires_in": 3600}
    return answer(200, gzip.compress(json.dumps(body).encode()), "Content-Encoding: gzip")


def api(*_):
    return owner()
