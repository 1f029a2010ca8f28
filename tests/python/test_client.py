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


@pytest.mark.parametrize("message, remedy, shown", [
    ("no answer", "try later", "no answer: try later"),
    ("No answer.", "try later", "No answer. Try later."),
    ("No answer.", "Try later.", "No answer. Try later."),
    ("no answer", "", "no answer")])
def test_an_error_shows_message_and_remedy_as_the_library_does(message, remedy, shown):
    assert str(skewguard.Error(message, remedy=remedy)) == shown


def test_an_error_of_the_library_shows_its_description(emulator):
    native, lib = skewguard._native.ffi, skewguard._native.lib
    out = native.new("skewguard_error**")
    assert lib.skewguard_client_new([], [], 1, out) == native.NULL
    description = skewguard._errors.text_of(out[0], lib.SKEWGUARD_ERROR_DESCRIPTION)
    assert str(skewguard._errors.from_native(out[0])) == description
    lib.skewguard_error_free(out[0])


@pytest.mark.parametrize("name, value, error", [
    ("client_secret", "demo-secret\0junk", skewguard.ConfigError),
    ("region", "a\0b", skewguard.ConfigError),
    ("client_secret", "\udc80supersecret", skewguard.ConfigError),
    ("client_secret", b"supersecret", TypeError),
    ("client_id", 5, TypeError), ("client_id", True, TypeError),
    ("timeout", float("inf"), ValueError), ("timeout", float("nan"), ValueError),
    ("timeout", True, TypeError), ("timeout", b"5s", TypeError),
    ("timeout", -1, skewguard.ConfigError), ("max_wait", "soon", skewguard.ConfigError),
    ("staleness", [], TypeError), ("attempts", 2.5, TypeError), ("attempts", True, TypeError),
    ("insecure_http", "no", TypeError), ("insecure_http", 1, TypeError),
    ("token_params", "resource=x", TypeError), ("token_params", {"resource": 1}, TypeError),
    ("token_params", [("resource", "x")], TypeError),
    ("token_params", {"a=b": "c"}, skewguard.ConfigError),
    ("ntp", 5, TypeError), ("ntp", [5], TypeError), ("config", b"/x", TypeError),
    ("max_skew", "5s", TypeError)])
def test_a_wrong_setting_is_refused_by_its_name(name, value, error, emulator):
    with pytest.raises(error, match=name.replace("_", "[_ -]")) as caught:
        skewguard.Client(**{**emulator.settings, name: value})
    assert "secret\0" not in str(caught.value) and "supersecret" not in str(caught.value)


def test_a_small_duration_is_written_without_an_exponent(emulator):
    assert skewguard._arguments.texts_of("timeout", 1e-5) == ["0.00001"]
    assert skewguard._arguments.texts_of("timeout", 20.0) == ["20"]
    assert skewguard._arguments.texts_of("timeout", 0) == ["0"]


@pytest.mark.parametrize("wrong, error, named", [
    ({"min_life": "60s"}, TypeError, "min_life"), ({"min_life": None}, TypeError, "min_life"),
    ({"min_life": float("inf")}, ValueError, "min_life"),
    ({"min_life": float("nan")}, ValueError, "min_life"),
    ({"min_life": -1}, ValueError, "min_life"), ({"min_life": 1e10}, ValueError, "min_life")])
def test_a_wrong_life_is_refused(wrong, error, named, client):
    with pytest.raises(error, match=named):
        client.token(**wrong)


@pytest.mark.parametrize("wrong, error, named", [
    ({"method": "GET\0X"}, skewguard.ConfigError, "method"),
    ({"method": b"GET"}, TypeError, "method"), ({"path": None}, TypeError, "path"),
    ({"path": "/x\0y"}, skewguard.ConfigError, "path"),
    ({"headers": {"X-Name": "日本"}}, skewguard.ConfigError, "headers"),
    ({"headers": {"X-Name": "Grüße"}}, skewguard.ConfigError, "headers"),
    ({"headers": {"X-Name": "a\0b"}}, skewguard.ConfigError, "headers"),
    ({"headers": {b"X": "y"}}, TypeError, "headers"),
    ({"headers": {"X": 5}}, TypeError, "headers"),
    ({"body": 5}, TypeError, "body"), ({"body": {"a": 1}}, TypeError, "body")])
def test_a_wrong_part_of_a_request_is_refused(wrong, error, named, emulator, client):
    with pytest.raises(error, match=named):
        client.call(**{"method": "POST", "path": ME, **wrong})
    assert sends(emulator) == []
