"""Checks of what programs pass in, before the C library sees it: what it would not understand, or
would read only in part, is refused here. No value is shown, as it may be a secret."""

from __future__ import annotations

import math
import os
from typing import List, Mapping, Sequence, Union

from ._errors import CLASSES, Classes, Error
from ._types import Fields

SECOND = 1_000_000_000  # in nanoseconds
_MAX_SECONDS = 9e9  # of 64 bits of nanoseconds

PathLike = Union[str, os.PathLike[str]]
#: A duration: seconds, or a text such as "500ms", "30s", "10m", "2h".
Span = Union[float, str]
Setting = Union[None, str, float, os.PathLike[str], Sequence[str], Mapping[str, str]]

_SPANS = ("timeout", "max_wait", "staleness")
_PATHS = ("client_secret_file", "access_token_file", "ca_file", "client_cert", "client_key",
          "config")


def _config_error(message: str, classes: Classes = CLASSES) -> Error:
    return classes["config"](message)


def _type_error(name: str, wanted: str, value: object) -> TypeError:
    return TypeError(f"{name} is {wanted}, not {type(value).__name__}")


def is_number(value: object) -> bool:
    """Whether a value is one: True and False are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def text(name: str, value: str, classes: Classes = CLASSES) -> bytes:
    """A text for the C library, which reads up to the first zero byte."""
    if not isinstance(value, str):
        raise _type_error(name, "a str", value)
    if "\0" in value:
        raise _config_error(f"{name} contains a zero byte", classes)
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise _config_error(f"{name} is not valid Unicode", classes) from None


def nanoseconds(name: str, value: float, most: float = _MAX_SECONDS) -> int:
    """A duration in seconds, at least 0, for the C library."""
    if not is_number(value):
        raise _type_error(name, "a number of seconds", value)
    if not 0 <= value <= most:
        raise ValueError(f"{name} is in seconds, from 0 to {most:.0f}")
    return math.floor(value * SECOND)


def content(body: Union[bytes, str]) -> bytes:
    """The body of a request."""
    if isinstance(body, str):
        return body.encode()
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise _type_error("body", "bytes or a str", body)
    return bytes(body)


def request_fields(headers: Mapping[str, str]) -> Fields:
    """The header fields of a request, which are ASCII (RFC 9110 section 5.5)."""
    fields = []
    for name, value in headers.items():
        for one in (name, value):
            if not isinstance(one, str):
                raise _type_error("a name or value in headers", "a str", one)
        if "\0" in name + value:
            raise _config_error("a field in headers contains a zero byte")
        try:
            fields.append((name.encode("ascii"), value.encode("ascii")))
        except UnicodeEncodeError:
            raise _config_error("a field in headers has a character that is not ASCII") from None
    return fields


def _span(name: str, value: object) -> str:
    """A duration as the library reads it: never as 1e-05."""
    if isinstance(value, str):
        return value
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _type_error(name, 'a number of seconds or a text such as "30s"', value)
    if not math.isfinite(value):
        raise ValueError(f"{name} is not a finite number of seconds")
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _parameters(name: str, value: object) -> List[str]:
    if not isinstance(value, Mapping):
        raise _type_error(name, "a mapping of names to values", value)
    for key, one in value.items():
        if not isinstance(key, str) or not isinstance(one, str):
            raise TypeError(f"{name} has a name or a value that is not a str")
        if "=" in key:
            raise _config_error(f"{name} has a name with an equals sign")
    return [f"{key}={one}" for key, one in value.items()]


def _servers(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise _type_error(name, "a str or a sequence of str", value)
    return ",".join(value)


def texts_of(name: str, value: Setting) -> List[str]:
    """The values of a setting as the library reads them. Raises TypeError for a wrong type."""
    if value is None:
        return []
    if name == "token_params":
        return _parameters(name, value)
    if name == "ntp":
        return [_servers(name, value)]
    if name in _SPANS:
        return [_span(name, value)]
    if name == "attempts":
        if not isinstance(value, int) or isinstance(value, bool):
            raise _type_error(name, "an int", value)
        return [str(value)]
    if name == "insecure_http":
        if not isinstance(value, bool):
            raise _type_error(name, "True or False", value)
        return ["true" if value else "false"]
    path = os.fspath(value) if name in _PATHS and isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise _type_error(name, "a str", value)
    return [path]
