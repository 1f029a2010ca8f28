"""guard and aguard: the program's own HTTP stack, whichever it is."""

import asyncio
import json
import urllib.error
import urllib.request

import httpx
import pytest
import requests
import skewguard
import urllib3
from conftest import ME, sends


def with_httpx(url):
    client = httpx.Client()
    return lambda bearer: client.get(url, headers={"Authorization": bearer.authorization})


def with_requests(url):
    session = requests.Session()
    return lambda bearer: session.get(url, headers={"Authorization": bearer.authorization})


def with_urllib3(url):
    pool = urllib3.PoolManager()
    return lambda bearer: pool.request("GET", url, headers={"Authorization": bearer.authorization})


def with_tuples(url):
    def send(bearer):
        request = urllib.request.Request(url, headers={"Authorization": bearer.authorization})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers.items(), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.items(), error.read()
    return send


def status(response):
    if isinstance(response, tuple):
        return response[0]
    return getattr(response, "status_code", None) or response.status


@pytest.mark.parametrize("stack", [with_httpx, with_requests, with_urllib3, with_tuples])
def test_every_stack_comes_through_a_refusal_with_one_token(stack, ahead, client_ahead):
    send = stack(ahead.api_url + ME)
    for _ in range(2):
        assert status(client_ahead.guard(send, "GET", ME)) == 200
    seen = [one[2:] for one in sends(ahead)]
    assert seen[0] == (401, 1) and seen[-2:] == [(200, 1)] * 2
    assert ahead.token_requests() == 1


@pytest.mark.parametrize("stack", [with_httpx, with_requests, with_urllib3, with_tuples])
def test_a_revoked_token_is_replaced_after_a_lease(stack, emulator, client):
    send = stack(emulator.api_url + ME)
    client.guard(send, "GET", ME)
    emulator.order("revoke", all=True)
    assert status(client.guard(send, "GET", ME)) == 200
    assert [one[2:] for one in sends(emulator)] == [(200, 1), (401, 1), (200, 2)]


def test_aguard_with_httpx(ahead, client_ahead):
    async def run():
        async with httpx.AsyncClient() as stack:
            async def send(bearer):
                return await stack.get(ahead.api_url + ME,
                                       headers={"Authorization": bearer.authorization})
            return await asyncio.gather(*(client_ahead.aguard(send, "GET", ME)
                                          for _ in range(20)))
    assert {one.status_code for one in asyncio.run(run())} == {200}
    assert ahead.token_requests() == 1


def test_an_answer_that_is_not_about_the_token_is_the_callers(emulator, client):
    send = with_httpx(emulator.api_url + "/api/v2/authorization/roles")
    client.get(ME)
    assert client.guard(send).status_code == 403
    assert emulator.token_requests() == 1


def test_what_send_raises_ends_the_call(client):
    def send(bearer):
        raise KeyError("mine")
    for _ in range(2):  # without a lease, then with one
        with pytest.raises(KeyError, match="mine"):
            client.guard(send)
        client.get(ME)


def test_a_401_that_stays_is_returned(serve, emulator):
    api = serve(lambda request: (401, {"WWW-Authenticate": "Bearer"}, b""))
    settings = {**emulator.settings, "api_url": api.url}
    with skewguard.Client(**settings, timeout=10) as client:
        assert client.guard(with_httpx(api.url + ME), "GET", ME).status_code == 401


def test_without_an_answer_there_is_an_error(emulator):
    settings = {**emulator.settings, "client_secret": "wrong"}
    with skewguard.Client(**settings) as client:
        with pytest.raises(skewguard.CredentialsError):
            client.guard(lambda bearer: pytest.fail("there is no token"))


def test_the_report_of_a_guarded_call_goes_to_the_hook(ahead):
    resolved = []
    with skewguard.Client(**ahead.settings, on_resolved=resolved.append) as client:
        client.guard(with_httpx(ahead.api_url + ME), "GET", ME)
    assert json.dumps(resolved[0]) and resolved[0]["verdict"] == "issuer_clock_ahead"


@pytest.mark.parametrize("leased", [True, False])
@pytest.mark.parametrize("status_code", [200, 401])
def test_an_answer_that_comes_after_the_clients_end_is_the_callers(leased, status_code, client):
    if leased:
        client.get(ME)

    def send(bearer):
        client.close()
        return status_code, {"WWW-Authenticate": "Bearer"}, b""

    assert client.guard(send, "GET", ME)[0] == status_code


def test_what_is_no_http_answer_is_refused(client):
    with pytest.raises(skewguard.ConfigError, match="status"):
        client.guard(lambda bearer: (1000, {}, b""))


@pytest.mark.parametrize("answer", [None, 5, "x", (200,), (0, {}, None), (200, None, b""),
                                    ("200", {}, b""), (401, {}, "text"), (200, {}, b"", 1)])
def test_what_send_must_not_return_is_named(answer, client):
    with pytest.raises(TypeError, match="send returned"):
        client.guard(lambda bearer: answer)


@pytest.mark.parametrize("wrong", [{"method": "GET\0X"}, {"path": "/x\0y"}])
def test_a_zero_byte_is_refused_before_anything_is_sent(wrong, client):
    for _ in range(2):
        with pytest.raises(skewguard.ConfigError, match="zero byte"):
            client.guard(lambda bearer: pytest.fail("sent"), **wrong)
        client.get(ME)
