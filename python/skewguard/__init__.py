"""skewguard keeps a program authenticated against Genesys Cloud, or any OAuth 2.0 API, whatever the
clocks do. See docs/guide/python.md.

    client = skewguard.Client()                     # environment and profile; keywords = settings
    httpx.Client(auth=skewguard.httpx.Auth())       # AsyncClient likewise
    session.auth = skewguard.requests.Auth()
    api_client = skewguard.genesys.attach(ApiClient())
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from ._client import Client
from ._errors import (CancelledError, ClockError, ConfigError, CredentialsError, Error,
                      ForbiddenError, ProtocolError, ThrottledError, TimeoutError, UnavailableError)
from ._estimator import Estimator
from ._events import Rejection
from ._native import ffi as _ffi
from ._native import lib as _lib
from ._report import Analysis, Attempt, Report, ReportedClock, ReportedToken
from ._types import Bearer, Clock, Headers, Response, Token

if TYPE_CHECKING:
    from . import genesys as genesys
    from . import httpx as httpx
    from . import requests as requests
    from . import testing as testing

__version__: str = _ffi.string(_lib.skewguard_version()).decode()

__all__ = [
    "Analysis", "Attempt", "Bearer", "CancelledError", "Client", "Clock", "ClockError",
    "ConfigError", "CredentialsError", "Error", "Estimator", "ForbiddenError",
    "Headers", "ProtocolError", "Rejection", "Report", "ReportedClock", "ReportedToken", "Response",
    "ThrottledError", "TimeoutError", "Token", "UnavailableError", "__version__",
]

# What needs a library that not everybody has is imported when it is used.
_ADAPTERS = ("httpx", "requests", "genesys", "testing")


def __getattr__(name: str) -> ModuleType:
    if name in _ADAPTERS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
