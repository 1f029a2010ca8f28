"""python3-requests-oauthlib: its session raises TokenExpiredError when a token has ended by the
wall clock; the program asks for a new one then, and after a 401, once."""

from oauthlib.oauth2 import BackendApplicationClient, TokenExpiredError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from calls import API, CLIENT, LOGIN, SECRET, make_calls

session = OAuth2Session(client=BackendApplicationClient(client_id=CLIENT))


def renew():
    session.fetch_token(LOGIN, auth=HTTPBasicAuth(CLIENT, SECRET))


def call():
    if not session.token:
        renew()
    try:
        answer = session.get(API, timeout=30)
    except TokenExpiredError:
        renew()
        answer = session.get(API, timeout=30)
    if answer.status_code == 401:
        renew()
        answer = session.get(API, timeout=30)
    return answer.status_code


make_calls(call)
