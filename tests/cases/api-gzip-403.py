"""The API compresses its error although nobody asked for that."""

import gzip
import json

from raw import answer, token


def login(_, state):
    return token(state)


def api(*_):
    error = {"code": "missing.any.permissions",
             "message": "Unable to perform the requested action. You are missing the following "
                        "permission(s): analytics:conversationDetail:view"}
    return answer(403, gzip.compress(json.dumps(error).encode()), "Content-Encoding: gzip")
