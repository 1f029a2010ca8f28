"""python3-authlib: its session renews a client-credentials token by itself when it has ended by the
wall clock; the program asks for a new one after a 401, once."""

from authlib.integrations.requests_client import OAuth2Session

from calls import API, CLIENT, LOGIN, SECRET, make_calls

session = OAuth2Session(CLIENT, SECRET, token_endpoint=LOGIN, grant_type="client_credentials")


def call():
    if not session.token:
        session.fetch_token()
    answer = session.get(API, timeout=30)
    if answer.status_code == 401:
        session.fetch_token()
        answer = session.get(API, timeout=30)
    return answer.status_code


make_calls(call)
