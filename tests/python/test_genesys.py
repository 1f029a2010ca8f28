"""skewguard.genesys: the official SDK, for which the stand-in of this folder is used."""

import logging
import time
import types
from email.utils import formatdate

import PureCloudPlatformClientV2 as sdk
import pytest
import skewguard
from conftest import ME, sends
from PureCloudPlatformClientV2.abstract_http_client import AbstractHttpClient
from PureCloudPlatformClientV2.http_request_options import HttpRequestOptions
from PureCloudPlatformClientV2.rest import ApiException


@pytest.fixture
def attach():
    def api(emulator, client):
        return sdk.TokensApi(skewguard.genesys.attach(sdk.ApiClient(host=emulator.api_url), client))
    return api


def test_attach_returns_the_same_object(emulator, client):
    api_client = sdk.ApiClient(host=emulator.api_url)
    assert skewguard.genesys.attach(api_client, client) is api_client


def test_a_refusal_is_cured(ahead, client_ahead, attach):
    api = attach(ahead, client_ahead)
    for _ in range(3):
        assert api.get_tokens_me().organization.name == "Emulated Organization"
    assert ahead.token_requests() == 1


def test_a_revoked_token_is_replaced(emulator, client, attach):
    api = attach(emulator, client)
    api.get_tokens_me()
    emulator.order("revoke", all=True)
    api.get_tokens_me()
    assert [one[2:] for one in sends(emulator)] == [(200, 1), (401, 1), (200, 2)]


def test_an_exception_carries_the_report_of_a_call_that_met_a_rejection(emulator, client, attach):
    api = sdk.UsersApi(attach(emulator, client).api_client)
    with pytest.raises(ApiException) as caught:
        api.get_users_me()
    assert caught.value.status == 400
    assert caught.value.skewguard["verdict"] == "no_user_context"


def test_the_report_has_the_base_path_of_the_api_once(emulator, serve):
    api = serve(lambda request: (403, {}, b'{"code": "missing.permissions"}'))
    settings = {**emulator.settings, "api_url": f"{api.url}/base"}
    with skewguard.Client(**settings) as client:
        api_client = skewguard.genesys.attach(sdk.ApiClient(host=client.api_url), client)
        with pytest.raises(ApiException) as caught:
            sdk.TokensApi(api_client).get_tokens_me()
    assert caught.value.skewguard["url"] == f"{api.url}/base{ME}"


def test_without_a_token_there_is_the_sdks_exception(emulator, attach):
    with skewguard.Client(**{**emulator.settings, "client_secret": "wrong"}) as client:
        with pytest.raises(ApiException) as caught:
            attach(emulator, client).get_tokens_me()
    assert caught.value.status == 0
    assert caught.value.skewguard["verdict"] == "credentials_rejected"
    assert isinstance(caught.value.__cause__, skewguard.CredentialsError)


@pytest.mark.parametrize("why", ["settings", "closed"])
def test_without_a_client_there_is_the_sdks_exception(why, emulator, client, attach):
    client.close()
    with pytest.raises(ApiException) as caught:
        attach(emulator, client if why == "closed" else None).get_tokens_me()
    assert caught.value.status == 0 and caught.value.skewguard is None
    assert isinstance(caught.value.__cause__, skewguard.ConfigError if why == "settings"
                      else skewguard.CancelledError)


def test_another_host_gets_no_token(serve, client):
    other = serve(lambda request: (200, {}, b'{"organization": {}}'))
    api_client = skewguard.genesys.attach(sdk.ApiClient(host=other.url), client)
    sdk.TokensApi(api_client).get_tokens_me()
    assert not [one for one in other.tokens() if one and one.startswith("Bearer ey")]
    assert client.get("/api/v2/tokens/me").status == 200


@pytest.mark.parametrize("way", ["away", "away and back", "away and waited for"])
def test_a_redirect_elsewhere_gets_no_token_and_moves_no_bounds(way, serve, emulator, client,
                                                                attach):
    def refuse(request):
        fields = {"Date": formatdate(time.time() + 3600, usegmt=True)}
        if way == "away and back":
            return 302, {"Location": emulator.api_url + ME, **fields}, b""
        if way == "away and waited for" and len(other.seen) % 2:  # urllib3 asks once more by itself
            return 503, {"Retry-After": "0", **fields}, b""
        return 401, fields, b""

    other = serve(refuse)
    api = attach(emulator, client)
    for _ in range(2):  # without a lease, then with one
        emulator.order("fault", host="api", times=1, location=other.url + "/there", path=ME)
        with pytest.raises(ApiException) as caught:
            api.get_tokens_me()
        assert caught.value.status == 401 and caught.value.skewguard is None
        assert api.get_tokens_me().organization.name == "Emulated Organization"
        assert max(one.high - one.low for one in client.clocks()) < 60
    assert set(other.tokens()) == {None}
    assert emulator.token_requests() == 1


def test_a_redirect_within_the_api_is_judged(emulator, client, attach):
    api = attach(emulator, client)
    api.get_tokens_me()
    emulator.order("revoke", all=True)
    emulator.order("fault", host="api", times=1, location=ME, path=ME)
    api.get_tokens_me()
    assert [one[2:] for one in sends(emulator)][-3:] == [(302, 1), (401, 1), (200, 2)]


class OwnClient(AbstractHttpClient):
    """An HTTP client of the program's own, which the API refuses once."""

    def __init__(self, **told):
        super().__init__()
        self.told, self.seen = told, []

    def request(self, http_request_options):
        self.seen.append(http_request_options.headers["Authorization"])
        if len(self.seen) == 1:
            error = ApiException(status=401, reason="Unauthorized")
            error.headers = {"Date": formatdate(usegmt=True)}
            vars(error).update(self.told)
            raise error
        return types.SimpleNamespace(status=200, headers={}, data="{}", **self.told)


@pytest.mark.parametrize("tells", [False, True])
def test_another_http_client_is_judged_if_it_tells_where_it_was(tells, emulator, client):
    api_client = sdk.ApiClient(host=emulator.api_url)
    own = OwnClient(**({"url": emulator.api_url + ME} if tells else {}))
    api_client.set_http_client(own)
    http = skewguard.genesys.attach(api_client, client).get_http_client()
    options = HttpRequestOptions(url=emulator.api_url + ME, method="GET")
    if tells:
        assert http.request(options).status == 200
        assert len(own.seen) == 2
    else:
        with pytest.raises(ApiException) as caught:
            http.request(options)
        assert caught.value.status == 401 and len(own.seen) == 1


def test_the_sdks_hooks_are_kept(emulator, client):
    api_client = sdk.ApiClient(host=emulator.api_url)
    seen = []
    inner = api_client.get_http_client()
    inner.set_pre_request_hook(lambda options: seen.append(options.method) or options)
    sdk.TokensApi(skewguard.genesys.attach(api_client, client)).get_tokens_me()
    assert seen == ["GET"]


def test_the_sdks_log_shows_no_token(emulator, client, attach, caplog):
    with caplog.at_level(logging.DEBUG):
        attach(emulator, client).get_tokens_me()
    assert client.token().value not in caplog.text
