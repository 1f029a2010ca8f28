"""The client: one identity, kept authenticated against one API."""

from __future__ import annotations

from types import TracebackType
from typing import (Any, Awaitable, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Type,
                    Union)
from urllib.parse import urlsplit

from ._answers import (AnyResponse, Origin, R, async_body_of, body_of, check_answer,
                       fields_of, headers_of, origin_of, status_of, url_of)
from ._arguments import (SECOND, PathLike, Setting, Span, content, nanoseconds, request_fields,
                         text, texts_of)
from ._calls import Begin, Call, Exchange
from ._errors import CLASSES, Classes, Slot
from ._events import Events, OnRejection, OnResolved
from ._handle import Handle
from ._native import ffi, lib
from ._report import Report
from ._types import Bearer, Clock, Response, Token
from ._waiting import AsyncWaiter, Waiter


class Client:
    """One identity, kept authenticated against one API.

    Settings are named as in a profile (docs/guide/settings.md); those that are not given come from
    the environment and the profile file. Nothing is sent before the first call. Raises
    ConfigError if a setting is wrong or missing, TypeError or ValueError for what cannot be one.

    May be used from any thread and any asyncio loop, and in forked children, each of which gets a
    token of its own. `on_rejection` and `on_resolved` are called, and the logger "skewguard" is
    used, on a thread or loop that uses the client. What they raise is logged.
    """

    def __init__(self, *,
                 region: Optional[str] = None,
                 client_id: Optional[str] = None,
                 client_secret: Optional[str] = None,
                 client_secret_file: Optional[PathLike] = None,
                 client_auth: Optional[str] = None,
                 access_token: Optional[str] = None,
                 access_token_file: Optional[PathLike] = None,
                 login_url: Optional[str] = None,
                 api_url: Optional[str] = None,
                 token_path: Optional[str] = None,
                 verify_path: Optional[str] = None,
                 token_params: Optional[Mapping[str, str]] = None,
                 dialect: Optional[str] = None,
                 ca_file: Optional[PathLike] = None,
                 proxy: Optional[str] = None,
                 no_proxy: Optional[str] = None,
                 client_cert: Optional[PathLike] = None,
                 client_key: Optional[PathLike] = None,
                 ntp: Union[None, str, Sequence[str]] = None,
                 insecure_http: Optional[bool] = None,
                 timeout: Optional[Span] = None,
                 max_wait: Optional[Span] = None,
                 attempts: Optional[int] = None,
                 staleness: Optional[Span] = None,
                 alert_command: Optional[str] = None,
                 token_store: Optional[str] = None,
                 config: Optional[PathLike] = None,
                 profile: Optional[str] = None,
                 on_rejection: Optional[OnRejection] = None,
                 on_resolved: Optional[OnResolved] = None) -> None:
        settings: Dict[str, Setting] = {
            "region": region, "client_id": client_id, "client_secret": client_secret,
            "client_secret_file": client_secret_file, "client_auth": client_auth,
            "access_token": access_token, "access_token_file": access_token_file,
            "login_url": login_url, "api_url": api_url, "token_path": token_path,
            "verify_path": verify_path, "token_params": token_params, "dialect": dialect,
            "ca_file": ca_file, "proxy": proxy, "no_proxy": no_proxy, "client_cert": client_cert,
            "client_key": client_key,
            "ntp": ntp, "insecure_http": insecure_http, "timeout": timeout, "max_wait": max_wait,
            "attempts": attempts, "staleness": staleness, "alert_command": alert_command,
            "token_store": token_store, "config": config, "profile": profile,
        }
        self._api_url: str = ""  # a traceback with its locals shows a client with wrong settings
        native = _new_client(settings)
        self._api_url = ffi.string(lib.skewguard_client_api_url(native)).decode()
        self._api: Optional[Origin] = origin_of(self._api_url)
        parts = urlsplit(self._api_url)
        self._base_path: str = parts.path.rstrip("/")
        #: How most URLs of the API begin; origin_of() knows the others.
        self._api_prefix: str = f"{parts.scheme}://{parts.netloc}/"
        self._handle = Handle(native)
        self._events = Events(self._handle, on_rejection, on_resolved)
        self._events.listen()

    def __repr__(self) -> str:
        return f"<skewguard.Client of {self._api_url or 'nothing'}>"

    @property
    def api_url(self) -> str:
        """The base URL of the API, which paths are relative to."""
        return self._api_url

    # ---- its end ----------------------------------------------------------------------------

    def close(self) -> None:
        """Ends the client; calls in progress end with CancelledError. Never waits for the
        network. May be called twice."""
        self._handle.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        self.close()

    # ---- calls ------------------------------------------------------------------------------

    def token(self, min_life: float = 0, force_refresh: bool = False) -> Token:
        """A token that the API accepts now, and for at least `min_life` seconds. `force_refresh`:
        a new one, whatever is left of the old. Raises Error."""
        with self._call(_token(min_life, force_refresh)) as call:
            call.wait()
            return _token_of(call)

    async def atoken(self, min_life: float = 0, force_refresh: bool = False) -> Token:
        """The same on the running asyncio loop."""
        with self._async_call(_token(min_life, force_refresh)) as call:
            await call.async_wait()
            return _token_of(call)

    def get(self, path: str) -> Response:
        """One GET of a path relative to the API's base URL, like call()."""
        return self.call("GET", path)

    async def aget(self, path: str) -> Response:
        """The same on the running asyncio loop."""
        return await self.acall("GET", path)

    def call(self, method: str, path: str, headers: Optional[Mapping[str, str]] = None,
             body: Union[bytes, str] = b"") -> Response:
        """One request that the library sends itself. Returns any answer of the API, whatever its
        status; raises Error only if there is none that can be used."""
        with self._call(_request(method, path, headers, body)) as call:
            call.wait()
            return _response_of(call)

    async def acall(self, method: str, path: str, headers: Optional[Mapping[str, str]] = None,
                    body: Union[bytes, str] = b"") -> Response:
        """The same on the running asyncio loop."""
        with self._async_call(_request(method, path, headers, body)) as call:
            await call.async_wait()
            return _response_of(call)

    def guard(self, send: Callable[[Bearer], R], method: str = "GET", path: str = "/") -> R:
        """One request through the program's own HTTP stack. `send` is called once for each attempt,
        on this thread; it sends the request with `bearer.authorization` and returns the answer: a
        response of httpx, requests or urllib3, or (status, headers, body). Returns the last one,
        whatever its status; raises Error if there is none. What `send` raises ends the call.
        `path` is relative to the API's base URL, for reports."""
        response: Optional[R] = None
        with self._exchange(method, path) as exchange:
            while exchange.due():
                response = send(Bearer(exchange.authorization))
                if self._may_reject(exchange, response):
                    exchange.body(body_of(response))
        return _last(response, exchange)

    async def aguard(self, send: Callable[[Bearer], Awaitable[R]], method: str = "GET",
                     path: str = "/") -> R:
        """The same on the running asyncio loop, with an asynchronous `send`."""
        response: Optional[R] = None
        with self._exchange(method, path) as exchange:
            while await exchange.async_due():
                response = await send(Bearer(exchange.authorization))
                if self._may_reject(exchange, response):
                    exchange.body(await async_body_of(response))
        return _last(response, exchange)

    def clocks(self) -> List[Clock]:
        """What is known about the clocks of the login host and the API host. Sends nothing."""
        with self._call(_status) as call:
            call.wait()
            return _clocks_of(call)

    # ---- for the adapters ---------------------------------------------------------------------

    def _exchange(self, method: str, path: str, *, replayable: bool = True,
                  classes: Classes = CLASSES) -> Exchange:
        return Exchange(self._handle, self._events, method, path, replayable=replayable,
                        classes=classes)

    def _is_api(self, url: str) -> bool:
        """Whether a request to this URL gets a token, and its answer is the API's."""
        return url.startswith(self._api_prefix) or (self._api is not None
                                                    and origin_of(url) == self._api)

    def _is_foreign(self, response: AnyResponse) -> bool:
        """Whether another host than the API's has answered; if the response does not tell, it was
        the API."""
        url = url_of(response)
        return not self._is_api(url) and origin_of(url) is not None

    def _may_reject(self, exchange: Exchange, response: AnyResponse) -> bool:
        """Tells the exchange what `send` has returned. True: it wants to see the body too."""
        check_answer(response)
        if self._is_foreign(response):
            exchange.foreign()
            return False
        return exchange.head(status_of(response), fields_of(headers_of(response)))

    def _relative(self, path: str) -> str:
        """A path of the API host relative to its base URL."""
        base = self._base_path
        return path[len(base):] if base and path.startswith(base + "/") else path

    def _call(self, begin: Callable[..., Any]) -> Call:
        return Call(self._events, Waiter(), self._bound(begin))

    def _async_call(self, begin: Callable[..., Any]) -> Call:
        return Call(self._events, AsyncWaiter(), self._bound(begin))

    def _bound(self, begin: Callable[..., Any]) -> Begin:
        self._events.listen()
        native = self._handle.open()
        return lambda queue, tag, out: begin(native, queue, tag, out)


def _new_client(settings: Mapping[str, Setting]) -> Any:
    held = [(ffi.new("char[]", name.encode()), ffi.new("char[]", text(name, one)))
            for name, value in settings.items() for one in texts_of(name, value)]
    keys = ffi.new("const char*[]", [key for key, _ in held])
    values = ffi.new("const char*[]", [value for _, value in held])
    slot = Slot()
    handle = lib.skewguard_client_new(keys, values, len(held), slot.out)
    slot.check()
    return ffi.gc(handle, lib.skewguard_client_free)


def _token(min_life: float, force_refresh: bool) -> Callable[..., Any]:
    flags = lib.SKEWGUARD_FORCE_REFRESH if force_refresh else 0
    life = nanoseconds("min_life", min_life)
    return lambda handle, queue, tag, out: lib.skewguard_token_begin(
        handle, life, flags, queue, tag, out)


def _token_of(call: Call) -> Token:
    error = call.error
    if error is not None:
        raise error
    return Token(value=call.bytes_of(lib.SKEWGUARD_RESULT_TOKEN).decode("latin-1"),
                 token_type=call.bytes_of(lib.SKEWGUARD_RESULT_TOKEN_TYPE).decode("latin-1"),
                 expires_in=lib.skewguard_call_token_life(call.handle) / SECOND)


def _request(method: str, path: str, headers: Optional[Mapping[str, str]],
             body: Union[bytes, str]) -> Callable[..., Any]:
    verb, where, sent = text("method", method), text("path", path), content(body)
    fields = request_fields(headers or {})

    def begin(handle: Any, queue: Any, tag: int, out: Any) -> Any:
        array = ffi.new("skewguard_field[]", len(fields))
        held = []
        for one, (name, value) in zip(array, fields):
            held += [ffi.from_buffer(name), ffi.from_buffer(value)]
            one.name, one.name_size, one.value, one.value_size = (held[-2], len(name), held[-1],
                                                                  len(value))
        return lib.skewguard_request_begin(handle, verb, where, array, len(fields), sent, len(sent),
                                           -1, queue, tag, out)

    return begin


def _response_of(call: Call) -> Response:
    error, report = call.error, call.report
    if call.status == 0 or report is None:
        raise error if error is not None else RuntimeError("a call ended without an answer")
    return Response(status=call.status, headers=call.headers,
                    body=call.bytes_of(lib.SKEWGUARD_RESULT_BODY), report=report)


def _last(response: Optional[R], exchange: Exchange) -> R:
    if response is not None:
        return response
    raise exchange.error or RuntimeError("a call ended without an answer")


def _status(handle: Any, queue: Any, tag: int, out: Any) -> Any:
    return lib.skewguard_status_begin(handle, queue, tag, out)


def _clocks_of(call: Call) -> List[Clock]:
    if call.error is not None:
        raise call.error
    clocks: List[Clock] = []
    one = ffi.new("skewguard_clock*")
    while lib.skewguard_call_clock(call.handle, len(clocks), one):
        known: Tuple[Optional[float], Optional[float]] = (None, None)
        if one.known:
            known = one.low / SECOND, one.high / SECOND
        clocks.append(Clock(ffi.string(one.server).decode(), *known, one.samples))
    return clocks


class Lazy:
    """A client that is given, or made at first use."""

    __slots__ = ("_made",)

    def __init__(self, client: Optional[Client]) -> None:
        self._made: Dict[str, Client] = {} if client is None else {"client": client}

    def get(self) -> Client:
        """The client. Raises ConfigError if it cannot be made. Of two threads that come first,
        both get the same one."""
        client = self._made.get("client")
        return client if client is not None else self._made.setdefault("client", Client())
