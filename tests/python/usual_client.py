"""The usual wrapper over one stack, as a program that tests/integration/play.py drives.

    usual_client.py httpx|httpx-async|requests|urllib3|sdk
"""

import asyncio
import json
import sys
from urllib.parse import urlsplit

import usual

STACK = sys.argv[1]
if STACK.startswith("httpx"):
    import httpx
elif STACK == "requests":
    import requests
elif STACK == "urllib3":
    import urllib3
else:
    import PureCloudPlatformClientV2 as sdk
    from PureCloudPlatformClientV2.rest import ApiException
from calls import API, CALLERS, CLIENT, GATEWAY_URL, LOGIN, SECRET, make_async_calls, make_calls

FORM = {"grant_type": "client_credentials"}
TIMEOUT_S = 60


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def with_httpx():
    limits = httpx.Limits(max_connections=CALLERS)
    with httpx.Client(timeout=TIMEOUT_S, limits=limits) as http:
        def log_in():
            answer = http.post(LOGIN, data=FORM, auth=(CLIENT, SECRET))
            answer.raise_for_status()
            return answer.json()

        def send(token):
            answer = http.get(API, headers=bearer(token))
            return answer.status_code, answer

        wrapper = usual.Wrapper(log_in, send)
        make_calls(lambda: wrapper.call()[0])


async def with_httpx_async():
    limits = httpx.Limits(max_connections=CALLERS)
    async with httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits) as http:
        async def log_in():
            answer = await http.post(LOGIN, data=FORM, auth=(CLIENT, SECRET))
            answer.raise_for_status()
            return answer.json()

        async def send(token):
            answer = await http.get(API, headers=bearer(token))
            return answer.status_code, answer

        wrapper = usual.AsyncWrapper(log_in, send)

        async def call():
            return (await wrapper.call())[0]

        await make_async_calls(call)


def with_requests():
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CALLERS))

    def log_in():
        answer = session.post(LOGIN, data=FORM, auth=(CLIENT, SECRET), timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()

    def send(token):
        answer = session.get(API, headers=bearer(token), timeout=TIMEOUT_S)
        return answer.status_code, answer

    wrapper = usual.Wrapper(log_in, send)
    make_calls(lambda: wrapper.call()[0])


def with_urllib3():
    pool = urllib3.PoolManager(maxsize=CALLERS, retries=False, timeout=TIMEOUT_S)

    def log_in():
        basic = urllib3.make_headers(basic_auth=f"{CLIENT}:{SECRET}")
        answer = pool.request("POST", LOGIN, fields=FORM, encode_multipart=False, headers=basic)
        if answer.status != 200:
            raise RuntimeError(f"login: {answer.status}")
        return json.loads(answer.data)

    def send(token):
        answer = pool.request("GET", API, headers=bearer(token))
        return answer.status, answer

    wrapper = usual.Wrapper(log_in, send)
    make_calls(lambda: wrapper.call()[0])


def with_sdk():
    """The SDK takes one host for logins and calls. It does not tell when a token ends."""
    gateway = urlsplit(GATEWAY_URL)
    client = sdk.ApiClient()
    client.set_gateway(gateway.hostname, "http", gateway.port, "login", "api")
    tokens = sdk.TokensApi(client)

    def log_in():
        client.get_client_credentials_token(CLIENT, SECRET)
        return {"access_token": client.access_token, "expires_in": 86400}

    def send(_):
        try:
            return 200, tokens.get_tokens_me()
        except ApiException as error:
            return error.status, error

    wrapper = usual.Wrapper(log_in, send)
    make_calls(lambda: wrapper.call()[0])


{"httpx": with_httpx, "httpx-async": lambda: asyncio.run(with_httpx_async()),
 "requests": with_requests, "urllib3": with_urllib3, "sdk": with_sdk}[STACK]()
