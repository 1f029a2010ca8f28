"""A member of the token answer is ISO 8859-1, as its Content-Type says."""

from raw import OPAQUE, answer, owner


def login(*_):
    body = (f'{{"access_token":"{OPAQUE}1","token_type":"Bearer","expires_in":3600,'
            '"org":"Z\xfcrich West"}')
    return answer(200, body.encode("latin-1"),
                  content_type="application/json;charset=ISO-8859-1")


def api(*_):
    return owner()
