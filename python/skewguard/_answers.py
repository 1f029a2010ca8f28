"""What a program's own HTTP stack returns: a response of httpx, requests or urllib3, or a tuple."""

from __future__ import annotations

import inspect
from typing import Iterable, Mapping, Optional, Protocol, Tuple, TypeVar, Union, cast
from urllib.parse import urlsplit

from ._types import Fields

#: Scheme, host and port.
Origin = Tuple[str, str, int]

_PORTS = {"http": 80, "https": 443}


class StatusCodeResponse(Protocol):
    """A response of httpx or requests."""

    @property
    def status_code(self) -> int: ...  # noqa: D102

    @property
    def headers(self) -> Mapping[str, str]: ...  # noqa: D102

    @property
    def content(self) -> bytes: ...  # noqa: D102


class StatusResponse(Protocol):
    """A response of urllib3."""

    @property
    def status(self) -> int: ...  # noqa: D102

    @property
    def headers(self) -> Mapping[str, str]: ...  # noqa: D102

    @property
    def data(self) -> bytes: ...  # noqa: D102


HeaderFields = Union[Mapping[str, str], Iterable[Tuple[str, str]]]
PlainResponse = Tuple[int, HeaderFields, bytes]
AnyResponse = Union[StatusCodeResponse, StatusResponse, PlainResponse]

#: What `send` returns, and guard() after it.
R = TypeVar("R", bound=AnyResponse)


def origin_of(url: str) -> Optional[Origin]:
    """Who answers at a URL; None for one that names no host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.scheme not in _PORTS:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def fields_of(headers: HeaderFields) -> Fields:
    """Header fields as bytes. Those that cannot stand in a header are no field."""
    raw = getattr(headers, "raw", None)  # of httpx: as they came
    if raw is not None:
        return cast(Fields, raw)
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in pairs]


def check_answer(response: AnyResponse) -> None:
    """Raises TypeError if what `send` has returned is no response."""
    if isinstance(response, tuple):
        if (len(response) == 3 and isinstance(response[0], int) and response[1] is not None
                and isinstance(response[2], (bytes, bytearray, memoryview))):
            return
        raise TypeError("send returned a tuple that is not (status, headers, body), body as bytes")
    if not hasattr(response, "headers"):
        raise TypeError(f"send returned {type(response).__name__}, which is no response: return "
                        "one of httpx, requests or urllib3, or (status, headers, body)")


def status_of(response: AnyResponse) -> int:
    """The HTTP status."""
    if isinstance(response, tuple):
        return response[0]
    status: Optional[int] = getattr(response, "status_code", None)
    return cast(StatusResponse, response).status if status is None else status


def headers_of(response: AnyResponse) -> HeaderFields:
    """The header fields."""
    return response[1] if isinstance(response, tuple) else response.headers


def url_of(response: AnyResponse) -> str:
    """The URL that answered, after redirects; "" if the response does not tell."""
    if isinstance(response, tuple):
        return ""
    geturl = getattr(response, "geturl", None)
    try:
        return str(geturl() if geturl is not None else getattr(response, "url", ""))
    except RuntimeError:  # of httpx: a response without a request
        return ""


def body_of(response: AnyResponse) -> bytes:
    """The body, read if it has not been."""
    if isinstance(response, tuple):
        return response[2]
    if hasattr(response, "aread"):  # of httpx, which wants to be asked
        return cast(bytes, getattr(response, "read")())
    content: Optional[bytes] = getattr(response, "content", None)
    return cast(StatusResponse, response).data if content is None else content


async def async_body_of(response: AnyResponse) -> bytes:
    """The same of an asynchronous stack."""
    read = getattr(response, "aread", None)
    if read is None:
        return body_of(response)
    body = read()
    return cast(bytes, await body if inspect.isawaitable(body) else body)
