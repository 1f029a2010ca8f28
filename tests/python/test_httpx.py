"""skewguard.httpx: Auth and Transport, of both kinds of client."""

import asyncio
import hashlib
import json
from email.utils import formatdate
import time

import httpx
import pytest
import skewguard
from conftest import ME, sends

BODY = b"x" * 300_000
UPLOAD = "/api/v2/emulator/upload"


def through_auth(client):
    return {"auth": skewguard.httpx.Auth(client)}


def through_transport(client):
    return {"transport": skewguard.httpx.Transport(client)}


both = pytest.mark.parametrize("through", [through_auth, through_transport])


@both
def test_a_refusal_is_cured_and_reported(through, ahead, client_ahead):
    with httpx.Client(base_url=ahead.api_url, **through(client_ahead)) as http:
        first, second = http.get(ME), http.get(ME)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() and second.json()
    assert first.extensions["skewguard"]["verdict"] == "issuer_clock_ahead"
    assert "skewguard" not in second.extensions
    assert ahead.token_requests() == 1


@both
def test_fifty_at_once_on_asyncio_share_one_token(through, ahead, client_ahead):
    async def run():
        async with httpx.AsyncClient(base_url=ahead.api_url, **through(client_ahead)) as http:
            return await asyncio.gather(*(http.get(ME) for _ in range(50)))
    answers = asyncio.run(run())
    assert {one.status_code for one in answers} == {200}
    assert all(one.json() for one in answers)
    assert ahead.token_requests() == 1


@both
def test_a_revoked_token_is_replaced(through, emulator, client):
    with httpx.Client(base_url=emulator.api_url, **through(client)) as http:
        http.get(ME)
        emulator.order("revoke", all=True)
        answer = http.get(ME)
    assert answer.status_code == 200
    assert answer.extensions["skewguard"]["verdict"] == "token_revoked"
    assert [one[2:] for one in sends(emulator)] == [(200, 1), (401, 1), (200, 2)]


@both
def test_another_host_gets_no_token(through, serve, client):
    other = serve(lambda request: (401, {}, b"who are you?"))
    with httpx.Client(**through(client)) as http:
        assert http.get(other.url + "/x").status_code == 401
    assert other.tokens() == [None]


def date_an_hour_off(request):
    return 401, {"Date": formatdate(time.time() + 3600, usegmt=True)}, b""


def widest(client):
    return max(clock.high - clock.low for clock in client.clocks() if clock.high is not None)


@both
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_redirect_elsewhere_gets_no_token_and_moves_no_bounds(through, kind, serve, emulator,
                                                                client):
    other = serve(date_an_hour_off)

    async def run():
        async with httpx.AsyncClient(base_url=emulator.api_url, follow_redirects=True,
                                     **through(client)) as http:
            return await http.get(ME)

    for first in (True, False):  # without a lease, then with one
        emulator.order("fault", host="api", times=1, location=other.url + "/there", path=ME)
        if kind == "async":
            answer = asyncio.run(run())
        else:
            with httpx.Client(base_url=emulator.api_url, follow_redirects=True,
                              **through(client)) as http:
                answer = http.get(ME)
        assert answer.status_code == 401
        assert "skewguard" not in answer.extensions
        assert client.get(ME).status == 200
        assert widest(client) < 60
    assert other.tokens() == [None, None]
    assert emulator.token_requests() == 1


@both
def test_a_way_back_from_elsewhere_is_not_judged_by_a_token_it_lacks(through, serve, emulator,
                                                                     client):
    other = serve(lambda request: (302, {"Location": emulator.api_url + "/back"}, b""))
    with httpx.Client(base_url=emulator.api_url, follow_redirects=True, **through(client)) as http:
        for _ in range(2):  # without a lease, then with one
            emulator.order("fault", host="api", times=1, location=other.url + "/there", path=ME)
            emulator.order("fault", host="api", times=1, location=ME, path="/back")
            answer = http.get(ME)
            assert answer.status_code == (401 if through is through_auth else 200)
            assert "skewguard" not in answer.extensions
    assert other.tokens() == [None, None]
    assert emulator.token_requests() == 1


@both
def test_a_redirect_within_the_api_is_judged(through, emulator, client):
    with httpx.Client(base_url=emulator.api_url, follow_redirects=True, **through(client)) as http:
        http.get(ME)
        emulator.order("revoke", all=True)
        emulator.order("fault", host="api", times=2, status=307, location=UPLOAD, path="/from")
        answer = http.post("/from", content=BODY)
    assert answer.json()["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert answer.extensions["skewguard"]["verdict"] == "token_revoked"


def pieces():
    for at in range(0, len(BODY), 10_000):
        yield BODY[at:at + 10_000]


async def async_pieces():
    for piece in pieces():
        yield piece


def bodies(folder):
    file = folder / "body"
    file.write_bytes(BODY)
    return {
        "bytes": lambda: {"content": BODY},
        "generator": lambda: {"content": pieces()},
        "file": lambda: {"content": file.open("rb")},
        "multipart": lambda: {"files": {"file": ("name", file.open("rb"))}},
        "form": lambda: {"data": {"a": "b"}},
    }


@both
@pytest.mark.parametrize("body", ["bytes", "generator", "file", "multipart", "form"])
def test_bodies_through_a_401_arrive_whole_or_the_caller_gets_the_401(through, body, emulator,
                                                                      client, tmp_path):
    with httpx.Client(base_url=emulator.api_url, **through(client)) as http:
        http.get(ME)
        emulator.order("revoke", all=True)
        answer = http.post(UPLOAD, **bodies(tmp_path)[body]())
        if body in ("bytes", "form"):
            assert answer.status_code == 200
            sent = BODY if body == "bytes" else b"a=b"
            assert answer.json()["sha256"] == hashlib.sha256(sent).hexdigest()
        else:
            assert answer.status_code == 401
            assert answer.extensions["skewguard"]["attempts"][0]["explanation"]
        # In either case the token is replaced for later requests.
        while answer.status_code == 401:
            answer = http.post(UPLOAD, **bodies(tmp_path)[body]())
        assert answer.status_code == 200
        if body != "multipart":
            assert answer.json()["bytes"] == (3 if body == "form" else len(BODY))
    assert emulator.token_requests() == 2


@both
def test_asynchronous_generators_too(through, emulator, client):
    async def run():
        async with httpx.AsyncClient(base_url=emulator.api_url, **through(client)) as http:
            await http.get(ME)
            emulator.order("revoke", all=True)
            refused = sent = await http.post(UPLOAD, content=async_pieces())
            while sent.status_code == 401:
                sent = await http.post(UPLOAD, content=async_pieces())
            return refused, sent
    refused, sent = asyncio.run(run())
    assert refused.status_code == 401 and refused.extensions["skewguard"]
    assert sent.json()["sha256"] == hashlib.sha256(BODY).hexdigest()


@both
def test_errors_are_httpxs_own_too(through, emulator):
    with skewguard.Client(**{**emulator.settings, "client_secret": "wrong"}) as client:
        with httpx.Client(base_url=emulator.api_url, **through(client)) as http:
            with pytest.raises(httpx.TransportError) as caught:
                http.get(ME)
    assert isinstance(caught.value, skewguard.CredentialsError)
    assert caught.value.request.url == emulator.api_url + ME
    assert caught.value.report["exit_code"] == 3


@both
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_without_settings_the_error_is_httpxs_own_too(through, kind):
    with pytest.raises(httpx.TransportError) as caught:
        get(kind, "http://localhost/x", **through(None))
    assert isinstance(caught.value, skewguard.httpx.ConfigError)
    assert caught.value.remedy and caught.value.request.url == "http://localhost/x"


@both
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_of_a_closed_client_the_error_is_httpxs_own_too(through, kind, emulator, client):
    client.close()
    with pytest.raises(httpx.TransportError) as caught:
        get(kind, emulator.api_url + ME, **through(client))
    assert isinstance(caught.value, skewguard.CancelledError)
    assert caught.value.request.url == emulator.api_url + ME
    with pytest.raises(RuntimeError, match="closed"):  # of skewguard itself
        client.get(ME)


@both
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_cookies_of_a_refusal_go_with_the_request_that_follows(through, kind, serve, emulator):
    seen = []

    def refuse_first(request):
        seen.append(request.headers["Cookie"])
        fields = {"Date": formatdate(usegmt=True), "Set-Cookie": "route=1; Path=/"}
        return 401 if len(seen) == 1 else 200, fields, b""

    api = serve(refuse_first)
    with skewguard.Client(**{**emulator.settings, "api_url": api.url}) as client:
        assert get(kind, api.url + ME, **through(client)).status_code == 200
    assert seen == [None, "route=1"]


def get(kind, url, **options):
    """One GET with a client of its own."""
    async def run():
        async with httpx.AsyncClient(**options) as http:
            return await http.get(url)

    if kind == "async":
        return asyncio.run(run())
    with httpx.Client(**options) as http:
        return http.get(url)


def test_every_kind_of_error_is_one_of_httpx():
    classes = [getattr(skewguard.httpx, one.__name__) for one in skewguard.Error.__subclasses__()
               if one.__module__ == "skewguard._errors"]
    assert len(classes) == 9
    for one in classes:
        error = one("said", remedy="do")
        assert isinstance(error, (skewguard.Error, httpx.RequestError)) and str(error) == "said: do"


def test_an_event_hook_that_raises_hides_the_401_from_auth_but_not_from_the_transport(emulator,
                                                                                      client):
    def raise_for_status(response):
        response.raise_for_status()

    hooks = {"event_hooks": {"response": [raise_for_status]}, "base_url": emulator.api_url}
    with httpx.Client(**through_auth(client), **hooks) as http:
        http.get(ME)
        emulator.order("revoke", all=True)
        with pytest.raises(httpx.HTTPStatusError):
            http.get(ME)
    with httpx.Client(**through_transport(client), **hooks) as http:
        assert http.get(ME).status_code == 200


@both
def test_streamed_errors_can_still_be_read(through, emulator, client):
    with httpx.Client(base_url=emulator.api_url, **through(client)) as http:
        with http.stream("GET", "/api/v2/authorization/roles") as answer:
            assert answer.status_code == 403
            answer.read()
            assert answer.json()["code"] == "missing.permissions"
        with http.stream("GET", ME) as answer:
            assert json.loads(b"".join(answer.iter_bytes()))


def test_the_transport_passes_on_to_the_one_that_is_given(emulator, client):
    seen = []

    def answer(request):
        seen.append(request.headers["Authorization"])
        return httpx.Response(200)

    inner = httpx.MockTransport(answer)
    with httpx.Client(transport=skewguard.httpx.Transport(client, inner)) as http:
        assert http.get(emulator.api_url + ME).status_code == 200
    assert seen[0].startswith("Bearer ")


def test_a_client_is_made_at_first_use(emulator, monkeypatch):
    auth = skewguard.httpx.Auth()
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    with httpx.Client(auth=auth, base_url=emulator.api_url) as http:
        assert [http.get(ME).status_code for _ in range(2)] == [200, 200]
    assert emulator.token_requests() == 1
