"""The official SDK for Python: `api_client = skewguard.genesys.attach(ApiClient())`.

It uses the SDK's own hook for another HTTP client, and no name that is not public. What the SDK
returns does not say where redirects led, so its urllib3 pools are watched.
"""

from __future__ import annotations

import copy
import importlib
import os
import threading
from typing import Any, Dict, List, Optional, Protocol, Tuple, TypeVar
from urllib.parse import urljoin

from ._answers import fields_of, url_of
from ._client import Client, Lazy
from ._errors import CancelledError, ClosedError, Error


class ApiClient(Protocol):
    """What attach() needs of the SDK's ApiClient."""

    def set_http_client(self, http_client: object) -> object: ...  # noqa: D102

    def get_http_client(self) -> object: ...  # noqa: D102


A = TypeVar("A", bound=ApiClient)


def attach(api_client: A, client: Optional[Client] = None) -> A:
    """Keeps all calls of an ApiClient of the official SDK authenticated, and returns it.

    The exceptions of calls that met a rejection carry the report in `.skewguard`. If there is no
    answer, because there is no token, the exception is the SDK's ApiException with status 0, raised
    from a skewguard.Error. After fork the SDK's connections are made anew. Needs nothing of the
    SDK's own login. If the ApiClient has been given an HTTP client of another kind, only those of
    its responses and exceptions are judged that tell their URL, in `.url` or `.geturl()`. `client`:
    None = a Client() made at first use.
    """
    inner = api_client.get_http_client()
    package = type(api_client).__module__.rpartition(".")[0]
    base = importlib.import_module(f"{package}.abstract_http_client").AbstractHttpClient
    failure = importlib.import_module(f"{package}.rest").ApiException
    api_client.set_http_client(_http_client_class(base)(inner, failure, Lazy(client)))
    return api_client


def _anew(inner: Any) -> Any:
    """A copy of the SDK's HTTP client with connections of its own; None if it is not the SDK's."""
    if type(inner).__name__ != "DefaultHttpClient":
        return None
    fresh = type(inner)()
    for name, value in vars(inner).items():
        if name != "rest_client":
            setattr(fresh, name, value)
    return fresh


#: Of each thread: `urls` that the SDK's urllib3 has asked for its last answer, after redirects.
_last = threading.local()


def _watched(inner: Any) -> Any:
    """The SDK's HTTP client, of which each answer's way is kept in `_last`."""
    pools = getattr(getattr(inner, "rest_client", None), "pool_manager", None)
    if pools is None:
        return inner
    send = pools.request

    def request(method: str, url: str, *args: Any, **options: Any) -> Any:
        answer = send(method, url, *args, **options)
        _last.urls = _way(url, answer)
        return answer

    pools.request = request
    return inner


def _way(url: str, answer: Any) -> List[str]:
    """The URLs that a request of urllib3 was sent to, one after the other."""
    urls = [url]
    for step in getattr(answer.retries, "history", ()):
        if step.redirect_location:
            urls.append(urljoin(urls[-1], step.redirect_location))
    return urls


def _http_client_class(base: Any) -> Any:
    """The HTTP client that the SDK is given, as a class of the SDK's kind."""

    class HttpClient(base):  # type: ignore[misc]
        """Sends with the HTTP client that was there before."""

        def __init__(self, inner: Any, failure: Any, client: Lazy) -> None:
            super().__init__()
            self._inners: Dict[int, Any] = {os.getpid(): _watched(inner)}
            self._first = inner
            self._failure = failure
            self._client = client

        def _inner(self) -> Any:
            pid = os.getpid()
            inner = self._inners.get(pid)
            if inner is None:
                fresh = _anew(self._first)
                inner = self._inners.setdefault(pid, _watched(fresh) if fresh else self._first)
            return inner

        def request(self, http_request_options: Any) -> Any:
            """What the SDK calls for each request."""
            try:
                client = self._client.get()
                if not client._is_api(http_request_options.url):
                    return self._inner().request(http_request_options)
                return _Request(client, self._inner(), self._failure, http_request_options).send()
            except (Error, ClosedError) as error:
                cause = error if isinstance(error, Error) else CancelledError(str(error))
                failed = self._failure(status=0, reason=str(cause))
                setattr(failed, "skewguard", cause.report)
                raise failed from cause

    return HttpClient


class _Request:
    """One request of the SDK."""

    def __init__(self, client: Client, inner: Any, failure: Any, options: Any) -> None:
        self._client = client
        self._inner = inner
        self._failure = failure
        self._options = options

    def send(self) -> Any:
        """Returns the SDK's response, or raises the SDK's exception; Error if there is neither."""
        response: Any = None
        refused: Optional[Exception] = None
        path = "/".join(["", *self._options.url.split("/", 3)[3:]]) or "/"
        with self._client._exchange(self._options.method, self._client._relative(path)) as exchange:
            while exchange.due():
                response, refused = self._try(exchange.authorization)
                answer = response if refused is None else refused
                if not self._is_api(answer):
                    exchange.foreign()
                elif exchange.head(answer.status, _fields(answer)):
                    body = getattr(answer, "body", None) or b""
                    exchange.body(body.encode() if isinstance(body, str) else body)
        if refused is None and response is not None:
            return response
        if refused is None:
            assert exchange.error is not None
            raise exchange.error
        setattr(refused, "skewguard", exchange.report)
        raise refused from exchange.error

    def _try(self, authorization: str) -> Tuple[Any, Optional[Exception]]:
        """One send: a response, or the exception that stands for an error of the API."""
        options = copy.copy(self._options)
        # A copy: the SDK's log changes the very dict that it was given.
        options.headers = {**self._options.headers, "Authorization": authorization}
        _last.urls = None
        try:
            return self._inner.request(options), None
        except self._failure as error:
            if not getattr(error, "status", None):  # no answer
                raise
            return None, error

    def _is_api(self, answer: Any) -> bool:
        """Whether it is known that this is the API's answer to a request with our token, which does
        not come back from another host."""
        urls = _last.urls or [url_of(answer)]
        return all(self._client._is_api(url) for url in urls)


def _fields(answer: Any) -> Any:
    """The header fields of a response or an exception of the SDK."""
    headers = answer.getheaders() if hasattr(answer, "getheaders") else answer.headers
    return fields_of(headers or {})
