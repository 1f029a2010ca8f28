"""requests: `session.auth = skewguard.requests.Auth()`."""

from __future__ import annotations

import datetime
import os
import time
import weakref
from typing import Optional

import requests

from . import _errors
from ._answers import fields_of
from ._calls import Exchange
from ._client import Client, Lazy


class ConfigError(_errors.ConfigError, requests.RequestException):
    """skewguard.ConfigError as an error of requests."""


class CredentialsError(_errors.CredentialsError, requests.RequestException):
    """skewguard.CredentialsError as an error of requests."""


class ClockError(_errors.ClockError, requests.RequestException):
    """skewguard.ClockError as an error of requests."""


class ForbiddenError(_errors.ForbiddenError, requests.RequestException):
    """skewguard.ForbiddenError as an error of requests."""


class ThrottledError(_errors.ThrottledError, requests.RequestException):
    """skewguard.ThrottledError as an error of requests."""


class UnavailableError(_errors.UnavailableError, requests.ConnectionError):
    """skewguard.UnavailableError as an error of requests."""


class TimeoutError(_errors.TimeoutError, requests.Timeout):
    """skewguard.TimeoutError as an error of requests."""


class ProtocolError(_errors.ProtocolError, requests.RequestException):
    """skewguard.ProtocolError as an error of requests."""


class CancelledError(_errors.CancelledError, requests.RequestException):
    """skewguard.CancelledError as an error of requests."""


_CLASSES = _errors.by_kind(ConfigError, CredentialsError, ClockError, ForbiddenError,
                           ThrottledError, UnavailableError, TimeoutError, ProtocolError,
                           CancelledError)


class Auth(requests.auth.AuthBase):
    """Keeps requests to the API authenticated; requests to other hosts get no token.

    The report of a call that met a rejection is in `response.skewguard`. If there is no response,
    because there is no token, the exception is one of this module, which is also one of requests.
    After fork the sessions' connections are made anew. `client`: None = a Client() made at first
    use.
    """

    def __init__(self, client: Optional[Client] = None) -> None:
        self._client = Lazy(client)
        _auths.add(self)
        # Those that have sent something, so that a forked child can close its copies.
        self._adapters: weakref.WeakSet[requests.adapters.BaseAdapter] = weakref.WeakSet()

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """What requests calls to authenticate a request."""
        with _errors.RaisedAs(_CLASSES, r):
            client = self._client.get()
            if not client._is_api(r.url or ""):
                return r
            sent = _Sent(self, client, r)
        r.hooks.setdefault("response", []).append(sent.judge)
        return r


class _Sent:
    """One request, and those that follow it in redirects."""

    def __init__(self, auth: Auth, client: Client, request: requests.PreparedRequest) -> None:
        self._auth = auth
        self._client = client
        # Only what is in memory can be sent again.
        self._replayable = request.body is None or isinstance(request.body, (bytes, str))
        self._exchange = self._new(request)
        if not self._exchange.due():
            assert self._exchange.error is not None
            raise self._exchange.error
        request.headers["Authorization"] = self._exchange.authorization

    def _new(self, request: requests.PreparedRequest) -> Exchange:
        return self._client._exchange(request.method or "GET",
                                      self._client._relative(request.path_url),
                                      replayable=self._replayable, classes=_CLASSES)

    def judge(self, response: requests.Response, **options: object) -> requests.Response:
        """What requests calls with each answer, redirects too. `options`: how it was sent."""
        adapter: requests.adapters.BaseAdapter = getattr(response, "connection")
        self._auth._adapters.add(adapter)
        if not self._is_ours(response):
            return response
        with self._exchange as exchange:
            while True:
                headers = response.headers if response.raw is None else response.raw.headers
                if exchange.head(response.status_code, fields_of(headers)):
                    exchange.body(response.content)
                if not exchange.due():
                    break
                response = self._send_again(adapter, response, exchange.authorization, options)
        if exchange.report is not None:
            setattr(response, "skewguard", exchange.report)
        return response

    def _is_ours(self, response: requests.Response) -> bool:
        """Whether the API answered to a request with a token of ours. If the exchange is over (a
        redirect, or a request that is sent once more by hand), a new one begins."""
        request = response.request
        if not self._client._is_api(response.url):
            return False
        authorization = request.headers.get("Authorization")
        if not self._exchange.over:
            return authorization == self._exchange.authorization
        again = self._new(request)
        try:
            if not again.follow(self._exchange, authorization):
                return False
        except _errors.ClosedError:
            return False
        self._exchange = again
        return True

    def _send_again(self, adapter: requests.adapters.BaseAdapter, response: requests.Response,
                    authorization: str, options: dict[str, object]) -> requests.Response:
        response.close()
        request = response.request.copy()
        request.headers["Authorization"] = authorization
        request.prepare_cookies(response.cookies)  # as requests.auth.HTTPDigestAuth does
        began = time.perf_counter()
        again: requests.Response = getattr(adapter, "send")(request, **options)
        again.elapsed = datetime.timedelta(seconds=time.perf_counter() - began)
        again.history = [*response.history, response]
        again.request = request
        return again


_auths: weakref.WeakSet[Auth] = weakref.WeakSet()


def _begin_anew() -> None:
    """In a forked child: it makes connections of its own. Closing its copies of the parent's would
    take a lock that another thread of the parent may have held."""
    for auth in list(_auths):
        for adapter in list(auth._adapters):
            if isinstance(adapter, requests.adapters.HTTPAdapter):
                state = getattr(adapter, "__getstate__")()
                getattr(adapter, "__setstate__")(state)  # as if unpickled


os.register_at_fork(after_in_child=_begin_anew)
