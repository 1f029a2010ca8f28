"""Wrong uses of the package. A type checker rejects each line that says so; test_types.py compares.
Nothing here runs."""

import httpx
import requests
import skewguard

client = skewguard.Client(regoin="mypurecloud.ie")  # wrong: call-arg
client = skewguard.Client(region=1)  # wrong: arg-type
client = skewguard.Client("mypurecloud.ie")  # wrong: misc
client = skewguard.Client(attempts="3")  # wrong: arg-type
client.token(min_life="10m")  # wrong: arg-type
client.token().value.expires_in  # wrong: attr-defined
client.token().value = "x"  # wrong: misc
client.get("/x").report["verdit"]  # wrong: typeddict-item
client.call("POST", "/x", body={"a": 1})  # wrong: arg-type
client.call("POST", "/x", headers=[("a", "b")])  # wrong: arg-type
client.guard(lambda bearer: 200)  # wrong: type-var
client.guard(lambda bearer: (200, {}, bearer.athorization))  # wrong: attr-defined
client.guard(lambda bearer: httpx.get("/"), method=b"GET")  # wrong: arg-type
client.clocks()[0].offset  # wrong: attr-defined
client.clocks()[0].low + 1  # wrong: operator
skewguard.Estimator().observe(1.0, 2.0, 3.0)  # wrong: arg-type
skewguard.httpx.Auth("id")  # wrong: arg-type
skewguard.httpx.Transport(client, httpx.Client())  # wrong: arg-type
httpx.Client(auth=skewguard.requests.Auth())  # wrong: arg-type
skewguard.genesys.attach(requests.Session())  # wrong: type-var
skewguard.Error("said", "do")  # wrong: misc


def synchronous(bearer: skewguard.Bearer) -> httpx.Response:
    """What guard() wants."""
    return httpx.get("/")


async def asynchronous() -> None:
    """Awaitable functions want awaitable ones."""
    await client.aguard(synchronous)  # wrong: arg-type
    client.aget("/x").status  # wrong: attr-defined
