"""The token answer is form-encoded, although JSON was requested."""

from raw import OPAQUE, answer, owner


def login(*_):
    return answer(200, f"access_token={OPAQUE}1&token_type=bearer&expires_in=3600",
                  content_type="application/x-www-form-urlencoded")


def api(*_):
    return owner()
