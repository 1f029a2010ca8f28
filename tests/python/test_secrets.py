"""DEBUG logs of everything, tracebacks and reprs: no token, no secret."""

import base64
import logging
import os
import re
import subprocess
import sys

from conftest import HUNG_S, ROOT

EVERYTHING = '''
import asyncio, logging, sys, traceback
logging.basicConfig(level=1, stream=sys.stdout)
import httpx, requests, urllib3, skewguard
import PureCloudPlatformClientV2 as sdk
logging.getLogger("urllib3").setLevel(1)  # which the SDK silences
logging.getLogger("urllib3").propagate = True
configuration = sdk.configuration
configuration.logger.log_level = 5

API, ME = sys.argv[1], "/api/v2/tokens/me"
client = skewguard.Client(on_rejection=print, on_resolved=print)
auth, transport = skewguard.httpx.Auth(client), skewguard.httpx.Transport(client)
session = requests.Session()
session.auth = skewguard.requests.Auth(client)
api_client = skewguard.genesys.attach(sdk.ApiClient(host=API), client)
pool = urllib3.PoolManager()

async def asynchronous():
    async with httpx.AsyncClient(auth=auth) as http:
        await http.get(API + ME)

ways = [lambda: client.get(ME), lambda: httpx.get(API + ME, auth=auth),
        lambda: httpx.Client(transport=transport).get(API + ME),
        lambda: asyncio.run(asynchronous()),
        lambda: session.get(API + ME), lambda: sdk.UsersApi(api_client).get_users_me(),
        lambda: client.token(), lambda: client.clocks(),
        lambda: client.guard(lambda bearer: print(bearer) or pool.request(
            "GET", API + ME, headers={"Authorization": bearer.authorization})),
        lambda: client.guard(lambda bearer: 1 / 0), lambda: client.call("GET", "no slash")]
for way in ways:
    for _ in range(2):
        try:
            print(repr(way()))
        except Exception:
            traceback.print_exc(file=sys.stdout)
print(repr([client, auth, transport, session.auth, vars(auth), client._handle.cached_lease]))
print("done")
'''


def run(emulator, **environment):
    done = subprocess.run([sys.executable, "-c", EVERYTHING, emulator.api_url], text=True,
                          capture_output=True, timeout=HUNG_S,
                          env={**os.environ, **emulator.environment, **environment,
                               "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{ROOT / 'tests/python'}"})
    text = done.stdout + done.stderr
    assert done.returncode == 0 and "done" in done.stdout, text
    return text


def forbidden(text):
    basic = base64.b64encode(b"demo:demo-secret").decode()
    return re.findall(rf"demo-secret(?!\w)|{re.escape(basic)}|(?<![\w-])[\w-]{{80,}}(?![\w-])"
                      r"|eyJ[\w-]{10,}", text)


def test_nothing_shows_a_token_or_a_secret(skewguard_emulator):
    for format in ("jwt", "opaque"):
        emulator = skewguard_emulator("--token", format, "--login-offset", "1s", "--strict-nbf")
        text = run(emulator)
        assert "DEBUG" in text and "issuer_clock_ahead" in text
        assert forbidden(text) == []


def test_nor_do_errors(emulator):
    text = run(emulator, GENESYS_CLOUD_CLIENT_SECRET="wrong-secret-4711")
    assert "CredentialsError" in text
    assert "4711" not in text


def test_a_token_would_be_found(client):
    assert forbidden(client.token().value)
    assert logging.getLogger("skewguard").name == "skewguard"
