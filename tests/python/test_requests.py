"""skewguard.requests: Auth."""

import hashlib
import os
import signal
import threading
import time
from email.utils import formatdate

import pytest
import requests
import skewguard
from conftest import ME, sends

BODY = b"y" * 300_000
UPLOAD = "/api/v2/emulator/upload"


@pytest.fixture
def session(client):
    with requests.Session() as one:
        one.auth = skewguard.requests.Auth(client)
        yield one


def test_a_refusal_is_cured_and_reported(ahead, client_ahead):
    with requests.Session() as session:
        session.auth = skewguard.requests.Auth(client_ahead)
        first, second = (session.get(ahead.api_url + ME) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.skewguard["verdict"] == "issuer_clock_ahead"
    assert not hasattr(second, "skewguard")
    assert ahead.token_requests() == 1


def test_a_revoked_token_is_replaced(emulator, session):
    session.get(emulator.api_url + ME)
    emulator.order("revoke", all=True)
    answer = session.get(emulator.api_url + ME)
    assert (answer.status_code, answer.skewguard["verdict"]) == (200, "token_revoked")
    assert [one.status_code for one in answer.history] == [401]
    assert [one[2:] for one in sends(emulator)] == [(200, 1), (401, 1), (200, 2)]


def test_another_host_gets_no_token(serve, session):
    other = serve(lambda request: (401, {}, b""))
    assert session.get(other.url).status_code == 401
    assert other.tokens() == [None]


def test_a_redirect_elsewhere_gets_no_token_and_moves_no_bounds(serve, emulator, client, session):
    other = serve(lambda request: (401, {"Date": formatdate(time.time() + 3600, usegmt=True)}, b""))
    for _ in range(2):  # without a lease, then with one
        emulator.order("fault", host="api", times=1, location=other.url + "/there", path=ME)
        answer = session.get(emulator.api_url + ME)
        assert answer.status_code == 401 and not hasattr(answer, "skewguard")
        assert client.get(ME).status == 200
        assert max(one.high - one.low for one in client.clocks()) < 60
    assert other.tokens() == [None, None]
    assert emulator.token_requests() == 1


def test_a_redirect_within_the_api_is_judged(emulator, session):
    emulator.order("fault", host="api", times=1, location=emulator.api_url + ME, path="/from")
    assert session.get(emulator.api_url + ME).status_code == 200
    emulator.order("revoke", all=True)
    answer = session.get(emulator.api_url + "/from")
    assert (answer.status_code, answer.skewguard["verdict"]) == (200, "token_revoked")


def test_a_prepared_request_can_be_sent_again(emulator, session):
    prepared = session.prepare_request(requests.Request("GET", emulator.api_url + ME))
    assert session.send(prepared).status_code == 200
    emulator.order("revoke", all=True)
    assert session.send(prepared).status_code == 200


def pieces():
    for at in range(0, len(BODY), 10_000):
        yield BODY[at:at + 10_000]


@pytest.mark.parametrize("body", ["bytes", "generator", "file", "multipart"])
def test_bodies_through_a_401_arrive_whole_or_the_caller_gets_the_401(body, emulator, session,
                                                                      tmp_path):
    file = tmp_path / "body"
    file.write_bytes(BODY)
    made = {"bytes": lambda: {"data": BODY}, "generator": lambda: {"data": pieces()},
            "file": lambda: {"data": file.open("rb")},
            "multipart": lambda: {"files": {"file": file.open("rb")}}}[body]
    url = emulator.api_url + UPLOAD
    session.get(emulator.api_url + ME)
    emulator.order("revoke", all=True)
    answer = session.post(url, **made())
    if body in ("bytes", "multipart"):  # which requests holds in memory
        assert answer.status_code == 200
        sent = BODY if body == "bytes" else answer.request.body
        assert answer.json()["sha256"] == hashlib.sha256(sent).hexdigest()
    else:
        assert answer.status_code == 401
        assert answer.skewguard["attempts"][0]["explanation"]
    while answer.status_code == 401:  # until the token has been replaced
        answer = session.post(url, **made())
    assert answer.status_code == 200
    assert emulator.token_requests() == 2


def test_errors_are_requests_own_too(emulator):
    with skewguard.Client(**{**emulator.settings, "client_secret": "wrong"}) as client:
        with pytest.raises(requests.RequestException) as caught:
            requests.get(emulator.api_url + ME, auth=skewguard.requests.Auth(client))
    assert isinstance(caught.value, skewguard.CredentialsError)
    assert caught.value.request.url == emulator.api_url + ME
    for one in skewguard.Error.__subclasses__():
        if one.__module__ == "skewguard._errors":
            error = getattr(skewguard.requests, one.__name__)("said", remedy="do")
            assert isinstance(error, requests.RequestException) and isinstance(error, one)
            assert str(error) == "said: do"


def test_without_settings_the_error_is_requests_own_too():
    with pytest.raises(requests.RequestException) as caught:
        requests.get("http://localhost/x", auth=skewguard.requests.Auth())
    assert isinstance(caught.value, skewguard.requests.ConfigError)
    assert caught.value.remedy and caught.value.request.url == "http://localhost/x"


def test_of_a_closed_client_the_error_is_requests_own_too(emulator, client, session):
    client.close()
    with pytest.raises(requests.RequestException) as caught:
        session.get(emulator.api_url + ME)
    assert isinstance(caught.value, skewguard.CancelledError)
    assert caught.value.request.url == emulator.api_url + ME


def test_a_request_that_follows_a_refusal_has_its_cookies_time_and_history(serve, emulator):
    seen = []

    def refuse_twice(request):
        seen.append(request.headers["Cookie"])
        fields = {"Date": formatdate(usegmt=True), "Set-Cookie": "route=1; Path=/"}
        return 401 if len(seen) < 3 else 200, fields, b""

    api = serve(refuse_twice)
    settings = {**emulator.settings, "api_url": api.url}
    with skewguard.Client(**settings) as client, requests.Session() as session:
        session.auth = skewguard.requests.Auth(client)
        answer = session.get(api.url + ME)
        assert session.cookies.get_dict() == {"route": "1"}
    assert seen == [None, "route=1", "route=1"]
    assert [one.status_code for one in answer.history] == [401, 401]
    assert answer.history[0].history == [] and answer.elapsed.total_seconds() > 0


def test_a_fork_waits_for_no_lock_of_the_sessions_connections(emulator, session):
    session.get(emulator.api_url + ME)
    pools = session.get_adapter(emulator.api_url).poolmanager.pools
    held, done = threading.Event(), threading.Event()

    def hold():
        with pools.lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a guard against a hang
        os._exit(0 if session.get(emulator.api_url + ME).status_code == 200 else 1)
    status = os.waitpid(child, 0)[1]
    done.set()
    thread.join()
    assert status == 0
