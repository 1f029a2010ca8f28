"""The API compresses its answer although nobody asked for that."""

import gzip
import json

from raw import OWNER, answer, token


def login(_, state):
    return token(state)


def api(*_):
    return answer(200, gzip.compress(json.dumps(OWNER).encode()), "Content-Encoding: gzip")
