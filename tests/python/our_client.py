"""skewguard over one stack, as a program that tests/integration/play.py drives: the counterpart of
usual_client.py.

    our_client.py httpx|httpx-async|requests|urllib3|sdk
"""

import asyncio
import sys

import skewguard

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
from calls import API, API_URL, CALLERS, LOGIN_URL, make_async_calls, make_calls

TIMEOUT_S = 60
client = skewguard.Client(login_url=LOGIN_URL, api_url=API_URL)


def with_httpx():
    limits = httpx.Limits(max_connections=CALLERS)
    with httpx.Client(auth=skewguard.httpx.Auth(client), timeout=TIMEOUT_S, limits=limits) as http:
        make_calls(lambda: http.get(API).status_code)


async def with_httpx_async():
    auth, limits = skewguard.httpx.Auth(client), httpx.Limits(max_connections=CALLERS)
    async with httpx.AsyncClient(auth=auth, timeout=TIMEOUT_S, limits=limits) as http:
        async def call():
            return (await http.get(API)).status_code

        await make_async_calls(call)


def with_requests():
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CALLERS))
    session.auth = skewguard.requests.Auth(client)
    make_calls(lambda: session.get(API, timeout=TIMEOUT_S).status_code)


def with_sdk():
    tokens = sdk.TokensApi(skewguard.genesys.attach(sdk.ApiClient(host=client.api_url), client))

    def call():
        try:
            tokens.get_tokens_me()
        except ApiException as error:
            return error.status
        return 200

    make_calls(call)


def with_urllib3():
    pool = urllib3.PoolManager(maxsize=CALLERS, retries=False, timeout=TIMEOUT_S)

    def send(bearer):
        return pool.request("GET", API, headers={"Authorization": bearer.authorization})

    make_calls(lambda: client.guard(send, method="GET", path="/api/v2/tokens/me").status)


{"httpx": with_httpx, "httpx-async": lambda: asyncio.run(with_httpx_async()),
 "requests": with_requests, "urllib3": with_urllib3, "sdk": with_sdk}[STACK]()
