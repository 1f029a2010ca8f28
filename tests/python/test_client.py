"""Client: what it returns, what it raises, and what it never shows."""

import asyncio
import logging
import pickle

import pytest
import right_uses
import skewguard
from conftest import ME, sends


def test_get_comes_through_a_refusal_and_reports_it(ahead, client_ahead):
    answer = client_ahead.get(ME)
    assert answer.status == 200
    assert answer.report["verdict"] == "issuer_clock_ahead"
    assert answer.report["mitigated"] is True
    assert ahead.token_requests() == 1


def test_aget_does_the_same(client_ahead):
    answer = asyncio.run(client_ahead.aget(ME))
    assert (answer.status, answer.report["verdict"]) == (200, "issuer_clock_ahead")


def test_call_sends_headers_and_body(emulator, client):
    path = "/api/v2/emulator/upload"
    answer = client.call("POST", path, headers={"Content-Type": "text/plain"}, body="grüße")
    assert answer.status == 200
    assert answer.json()["bytes"] == len("grüße".encode())
    assert sends(emulator)[-1][:3] == ("POST", path, 200)


def test_an_error_status_is_an_answer(client):
    assert client.get("/api/v2/authorization/roles").status == 403
    assert client.get("/nowhere").status == 404


def test_headers_are_compared_ignoring_case_and_keep_their_order(client):
    headers = client.get(ME).headers
    assert headers["DATE"] == headers["date"]
    assert "content-type" in headers and "x-nothing" not in headers
    assert len(headers) == len(list(headers)) > 2
    twice = skewguard.Headers([("A", "1"), ("b", "2"), ("a", "3")])
    assert (twice["a"], twice.get_all("A"), list(twice)) == ("1, 3", ["1", "3"], ["a", "b"])
    assert twice.items_in_order() == [("A", "1"), ("b", "2"), ("a", "3")]


def test_a_token_is_accepted_when_it_is_returned(ahead, client_ahead):
    token = client_ahead.token()
    assert token.token_type == "Bearer"
    assert 86000 < token.expires_in <= 86400
    assert sends(ahead)[-1][2] == 200
    assert client_ahead.token().value == token.value
    assert client_ahead.token(force_refresh=True).value != token.value


def test_atoken_takes_a_minimal_life(client):
    assert asyncio.run(client.atoken(min_life=60)).expires_in > 60
    with pytest.raises(skewguard.ProtocolError):
        client.token(min_life=1e6)


def test_clocks_are_in_seconds_and_server_minus_local(skewguard_emulator):
    emulator = skewguard_emulator("--login-offset", "100s", "--api-offset", "-50s")
    with skewguard.Client(**emulator.settings) as client:
        client.get(ME)
        clocks = {clock.server: clock for clock in client.clocks()}
    login, api = clocks[emulator.login_url], clocks[emulator.api_url]
    assert login.low <= 100 <= login.high and api.low <= -50 <= api.high
    assert login.high - login.low < 10
    assert api.samples >= 1


def test_a_missing_setting_is_a_config_error_that_names_it():
    with pytest.raises(skewguard.ConfigError, match="GENESYS_CLOUD_CLIENT_ID") as caught:
        skewguard.Client(region="mypurecloud.ie")
    assert caught.value.kind == "config"
    assert caught.value.report is None


def test_a_wrong_secret_is_a_credentials_error_with_remedy_and_report(emulator):
    settings = {**emulator.settings, "client_secret": "wrong-secret-4711"}
    with skewguard.Client(**settings) as client:
        with pytest.raises(skewguard.CredentialsError) as caught:
            client.get(ME)
    error = caught.value
    assert isinstance(error, skewguard.Error)
    assert error.report["verdict"] == "credentials_rejected"
    assert error.remedy and error.remedy in str(error)
    assert "4711" not in str(error)


def test_errors_can_be_pickled():
    error = skewguard.ClockError("the login host is ahead", remedy="correct it", report=None)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.remedy) == (type(error), str(error), "correct it")


def test_settings_of_all_types_arrive(emulator, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("demo-secret\n")
    secret.chmod(0o600)
    settings = {**emulator.settings, "client_secret_file": secret}
    del settings["client_secret"]
    with skewguard.Client(**settings, timeout=20, max_wait="5s", attempts=2, insecure_http=False,
                          token_params={"resource": "urn:api"}, ntp=["127.0.0.1:1"]) as client:
        assert client.get(ME).status == 200
    with pytest.raises(skewguard.ConfigError, match="attempts"):
        skewguard.Client(**emulator.settings, attempts=0)


def test_the_environment_is_used_for_what_is_not_given(emulator, monkeypatch):
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    with skewguard.Client() as client:
        assert client.get(ME).status == 200


def test_a_closed_client_says_so(client):
    client.get(ME)
    client.close()
    client.close()
    for use in (lambda: client.get(ME), client.token, client.clocks,
                lambda: client.guard(lambda bearer: (200, {}, b""))):
        with pytest.raises(RuntimeError, match="closed"):
            use()


def test_a_client_is_a_context_manager_of_both_kinds(emulator):
    async def use():
        async with skewguard.Client(**emulator.settings) as client:
            return (await client.acall("GET", ME)).status
    assert asyncio.run(use()) == 200


def test_hooks_run_on_the_callers_thread(ahead, capsys):
    rejections, resolved = [], []
    with skewguard.Client(**ahead.settings, on_rejection=rejections.append,
                          on_resolved=resolved.append) as client:
        client.get(ME)
    attempt = rejections[0].attempt
    assert (attempt["n"], attempt["host"], attempt["http_status"]) == (1, "api", 401)
    assert attempt["explanation"] == rejections[0].message
    assert set(attempt) == set(skewguard.Attempt.__annotations__)
    right_uses.on_rejection(rejections[0])
    assert capsys.readouterr().out == attempt["explanation"] + "\n"
    assert rejections[0].server == ahead.api_url
    assert [report["verdict"] for report in resolved] == ["issuer_clock_ahead"]


def test_a_hook_that_raises_is_logged_and_harms_nothing(ahead, caplog):
    def fail(rejection):
        raise ValueError("from the hook")
    with skewguard.Client(**ahead.settings, on_rejection=fail) as client:
        assert client.get(ME).status == 200
    assert "from the hook" in caplog.text


def test_log_lines_carry_what_they_are_about(ahead, client_ahead, caplog):
    with caplog.at_level(logging.DEBUG, logger="skewguard"):
        client_ahead.get(ME)
    about = [record for record in caplog.records if record.verdict == "issuer_clock_ahead"]
    assert about and {record.name for record in about} == {"skewguard"}
    assert {record.server for record in about} == {ahead.api_url}


def test_lines_below_the_loggers_level_are_not_even_asked_for(client_ahead, caplog):
    with caplog.at_level(logging.ERROR, logger="skewguard"):
        client_ahead.get(ME)
    assert not [record for record in caplog.records if record.levelno < logging.ERROR]


def test_reprs_show_no_token(client):
    token = client.token()
    shown = repr([token, client, client.get(ME), skewguard.Bearer("Bearer " + token.value)])
    assert token.value not in shown and "demo-secret" not in shown
    assert skewguard.Bearer("Bearer abc").token == "abc"


def test_only_urls_of_the_api_are_the_apis(emulator):
    settings = {**emulator.settings, "api_url": "https://api.example/base"}
    with skewguard.Client(**settings) as client:
        for url in ("https://api.example/base/x", "https://api.example:443/x",
                    "HTTPS://API.example"):
            assert client._is_api(url), url
        for url in ("http://api.example/x", "https://api.example:444/x",
                    "https://api.example.org/", "https://api.example@other.example/",
                    "https://other.example/?https://api.example/", "//api.example/x", "/x", "",
                    "https://[", "https://api.example:x/"):
            assert not client._is_api(url), url
        assert client._relative("/base/x?y") == "/x?y"
        assert client._relative("/basement") == "/basement"


def test_the_library_is_told_of_the_first_success_with_a_token_and_of_four_a_second(monkeypatch):
    lease = skewguard._handle.Lease("Bearer x", 1)
    told = []
    for now in (0.0, 0.1, 0.24, 0.25, 0.49, 0.5, 7.0, 7.2):
        monkeypatch.setattr(skewguard._handle.time, "monotonic", lambda: now)
        if lease.is_news():
            told.append(now)
    assert told == [0.0, 0.25, 0.5, 7.0]


def test_dates_of_leased_requests_show_the_apis_clock(emulator, client):
    def samples():
        return max(clock.samples for clock in client.clocks()
                   if clock.server == emulator.api_url)

    fields = {"Date": client.get(ME).headers["Date"]}
    before = samples()
    client.guard(lambda bearer: (200, fields, b""))
    assert samples() > before


def test_a_client_that_could_not_be_made_can_be_shown(emulator):
    unmade = skewguard.Client.__new__(skewguard.Client)
    with pytest.raises(skewguard.ConfigError):
        unmade.__init__(**{**emulator.settings, "api_url": "nonsense"})
    assert repr(unmade) == "<skewguard.Client of nothing>"
