"""httpx: `httpx.Client(auth=skewguard.httpx.Auth())`, `httpx.AsyncClient` likewise.

`Transport` does the same below httpx's event hooks, which cannot keep it from seeing a rejection if
they raise. It makes its connections anew after fork.
"""

from __future__ import annotations

import os
from typing import (AsyncGenerator, Dict, Generator, Optional, Tuple, Type, TypeVar, Union, cast)

import httpx

from . import _errors
from ._calls import Exchange
from ._client import Client, Lazy

_Transport = Union[httpx.HTTPTransport, httpx.AsyncHTTPTransport]
_T = TypeVar("_T", httpx.HTTPTransport, httpx.AsyncHTTPTransport)


class ConfigError(_errors.ConfigError, httpx.TransportError):
    """skewguard.ConfigError as an error of httpx."""


class CredentialsError(_errors.CredentialsError, httpx.TransportError):
    """skewguard.CredentialsError as an error of httpx."""


class ClockError(_errors.ClockError, httpx.TransportError):
    """skewguard.ClockError as an error of httpx."""


class ForbiddenError(_errors.ForbiddenError, httpx.TransportError):
    """skewguard.ForbiddenError as an error of httpx."""


class ThrottledError(_errors.ThrottledError, httpx.TransportError):
    """skewguard.ThrottledError as an error of httpx."""


class UnavailableError(_errors.UnavailableError, httpx.NetworkError):
    """skewguard.UnavailableError as an error of httpx."""


class TimeoutError(_errors.TimeoutError, httpx.TimeoutException):
    """skewguard.TimeoutError as an error of httpx."""


class ProtocolError(_errors.ProtocolError, httpx.RemoteProtocolError):
    """skewguard.ProtocolError as an error of httpx."""


class CancelledError(_errors.CancelledError, httpx.TransportError):
    """skewguard.CancelledError as an error of httpx."""


_CLASSES = _errors.by_kind(ConfigError, CredentialsError, ClockError, ForbiddenError,
                           ThrottledError, UnavailableError, TimeoutError, ProtocolError,
                           CancelledError)


def _is_held(request: httpx.Request) -> bool:
    """Whether the body can be sent again: all of it is in memory."""
    return isinstance(request.stream, httpx.ByteStream)


def _is_ours(client: Client, exchange: Exchange, request: httpx.Request,
             response: httpx.Response) -> bool:
    """Whether the API has answered to a request with our token: redirects may have led to another
    host, and from there, without a token, back."""
    last = response.request
    return last is request or (client._is_api(str(last.url)) and
                               last.headers.get("Authorization") == exchange.authorization)


def _may_reject(client: Client, exchange: Exchange, request: httpx.Request,
                response: httpx.Response) -> bool:
    """Tells the exchange of an answer. True: it wants to see the body too."""
    if not _is_ours(client, exchange, request, response):
        exchange.foreign()
        return False
    return exchange.head(response.status_code, response.headers.raw)


def _authenticate(request: httpx.Request, authorization: str,
                  refused: Optional[httpx.Response]) -> None:
    """Makes the request ready to be sent. `refused`: the answer to the send before, whose cookies
    count, as they do with httpx.DigestAuth."""
    request.headers["Authorization"] = authorization
    if refused is not None and "Set-Cookie" in refused.headers:
        refused.cookies.set_cookie_header(request)


def _exchange(client: Client, request: httpx.Request) -> Exchange:
    path = request.url.raw_path.decode("ascii", "replace")
    return client._exchange(request.method, client._relative(path), replayable=_is_held(request),
                            classes=_CLASSES)


def _end(exchange: Exchange, response: Optional[httpx.Response]) -> httpx.Response:
    """Raises the error if there is no response, else puts the report where users look for it."""
    if response is None:
        assert exchange.error is not None
        raise exchange.error
    if exchange.report is not None:
        response.extensions = {**response.extensions, "skewguard": exchange.report}
    return response


class Auth(httpx.Auth):
    """Keeps requests to the API authenticated; requests to other hosts get no token.

    The report of a call that met a rejection is in `response.extensions["skewguard"]`. If there is
    no response, because there is no token, the exception is one of this module, which is also one
    of httpx. `client`: None = a Client() made at first use.
    """

    def __init__(self, client: Optional[Client] = None) -> None:
        self._client = Lazy(client)

    def sync_auth_flow(self, request: httpx.Request
                       ) -> Generator[httpx.Request, httpx.Response, None]:
        """For httpx.Client."""
        with _errors.RaisedAs(_CLASSES, request):
            client = self._client.get()
            if not client._is_api(str(request.url)):
                yield request
                return
            response: Optional[httpx.Response] = None
            with _exchange(client, request) as exchange:
                while exchange.due():
                    _authenticate(request, exchange.authorization, response)
                    response = yield request
                    if _may_reject(client, exchange, request, response):
                        exchange.body(response.read())
            _end(exchange, response)

    async def async_auth_flow(self, request: httpx.Request
                              ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """For httpx.AsyncClient."""
        with _errors.RaisedAs(_CLASSES, request):
            client = self._client.get()
            if not client._is_api(str(request.url)):
                yield request
                return
            response: Optional[httpx.Response] = None
            with _exchange(client, request) as exchange:
                while await exchange.async_due():
                    _authenticate(request, exchange.authorization, response)
                    response = yield request
                    if _may_reject(client, exchange, request, response):
                        exchange.body(await response.aread())
            _end(exchange, response)


def _decoded(response: httpx.Response, raw: bytes) -> bytes:
    """A body without its Content-Encoding; as it is if that cannot be undone."""
    try:
        return httpx.Response(response.status_code, headers=response.headers,
                              stream=httpx.ByteStream(raw)).read()
    except httpx.DecodingError:
        return raw


def _held(response: httpx.Response, raw: bytes) -> httpx.Response:
    """The same response with its body in memory."""
    return httpx.Response(response.status_code, headers=response.headers,
                          stream=httpx.ByteStream(raw), extensions=response.extensions,
                          request=response.request)


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Does what Auth does, below httpx's event hooks and redirects:
    `httpx.Client(transport=skewguard.httpx.Transport())`, `httpx.AsyncClient` likewise.

    `transport` sends the requests; None = httpx.HTTPTransport() or httpx.AsyncHTTPTransport(), made
    at first use, and anew after fork. `client`: None = a Client() made at first use.
    """

    def __init__(self, client: Optional[Client] = None,
                 transport: Union[None, httpx.BaseTransport, httpx.AsyncBaseTransport] = None
                 ) -> None:
        self._client = Lazy(client)
        self._given = transport
        # By process and kind.
        self._made: Dict[Tuple[int, type], _Transport] = {}

    def _inner(self, kind: Type[_T]) -> _T:
        """What sends the requests of this process."""
        if self._given is not None:
            return cast(_T, self._given)
        key = os.getpid(), kind
        made = self._made.get(key)
        return cast(_T, self._made.setdefault(key, kind()) if made is None else made)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """For httpx.Client."""
        inner = self._inner(httpx.HTTPTransport)
        with _errors.RaisedAs(_CLASSES, request):
            client = self._client.get()
            if not client._is_api(str(request.url)):
                return inner.handle_request(request)
            response: Optional[httpx.Response] = None
            with _exchange(client, request) as exchange:
                while exchange.due():
                    _authenticate(request, exchange.authorization, response)
                    response = inner.handle_request(request)
                    response.request = request
                    if exchange.head(response.status_code, response.headers.raw):
                        assert isinstance(response.stream, httpx.SyncByteStream)
                        raw = b"".join(response.stream)
                        response.close()
                        response = _held(response, raw)
                        exchange.body(_decoded(response, raw))
            return _end(exchange, response)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """For httpx.AsyncClient."""
        inner = self._inner(httpx.AsyncHTTPTransport)
        with _errors.RaisedAs(_CLASSES, request):
            client = self._client.get()
            if not client._is_api(str(request.url)):
                return await inner.handle_async_request(request)
            response: Optional[httpx.Response] = None
            with _exchange(client, request) as exchange:
                while await exchange.async_due():
                    _authenticate(request, exchange.authorization, response)
                    response = await inner.handle_async_request(request)
                    response.request = request
                    if exchange.head(response.status_code, response.headers.raw):
                        assert isinstance(response.stream, httpx.AsyncByteStream)
                        raw = b"".join([part async for part in response.stream])
                        await response.aclose()
                        response = _held(response, raw)
                        exchange.body(_decoded(response, raw))
            return _end(exchange, response)

    def close(self) -> None:
        """Closes the connections; not the skewguard.Client."""
        inner = self._given or self._made.pop((os.getpid(), httpx.HTTPTransport), None)
        if isinstance(inner, httpx.BaseTransport):
            inner.close()

    async def aclose(self) -> None:
        """Closes the connections; not the skewguard.Client."""
        inner = self._given or self._made.pop((os.getpid(), httpx.AsyncHTTPTransport), None)
        if isinstance(inner, httpx.AsyncBaseTransport):
            await inner.aclose()
