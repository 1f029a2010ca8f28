"""Right uses of the package, which a type checker accepts with `--strict`. Of them only
on_rejection() runs."""

from typing import Optional

import httpx
import requests
import skewguard
import urllib3


def on_rejection(rejection: skewguard.Rejection) -> None:
    """A hook."""
    if rejection.attempt is not None:
        print(rejection.attempt["explanation"])


def synchronous(pool: urllib3.PoolManager) -> None:
    """One use of each name."""
    client = skewguard.Client(region="mypurecloud.ie", timeout=20, max_wait="10s",
                              token_params={"resource": "urn:api"}, on_rejection=on_rejection)
    life: float = client.token(min_life=60).expires_in
    answer = client.call("POST", "/x", headers={"Accept": "*/*"}, body=b"{}")
    verdict: str = answer.report["verdict"]
    of_httpx: httpx.Response = client.guard(
        lambda bearer: httpx.get("/", headers={"Authorization": bearer.authorization}))
    of_requests: requests.Response = client.guard(
        lambda bearer: requests.get("/", headers={"Authorization": bearer.authorization}))
    of_tuples: tuple[int, dict[str, str], bytes] = client.guard(
        lambda bearer: (200, {"Date": ""}, b""))
    low: Optional[float] = client.clocks()[0].low
    httpx.Client(auth=skewguard.httpx.Auth(client))
    httpx.Client(transport=skewguard.httpx.Transport())
    session = requests.Session()
    session.auth = skewguard.requests.Auth()
    bounds = skewguard.Estimator().bounds()
    try:
        client.get("/x")
    except skewguard.ClockError as error:
        print(error.kind, error.remedy, error.report and error.report["attempts"])
    print(life, verdict, of_httpx, of_requests, of_tuples, low, bounds, pool)


async def asynchronous() -> None:
    """The same on asyncio."""
    async with skewguard.Client() as client, httpx.AsyncClient(
            auth=skewguard.httpx.Auth(client)) as http:

        async def send(bearer: skewguard.Bearer) -> httpx.Response:
            return await http.get("/", headers={"Authorization": bearer.authorization})

        status: int = (await client.aguard(send)).status_code
        print(status, (await client.atoken()).value, (await client.aget("/x")).json())
