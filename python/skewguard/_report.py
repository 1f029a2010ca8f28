"""The report of a call, as JSON has it: schema skewguard.report/1 (docs/guide/verdicts.md)."""

from __future__ import annotations

import json
from typing import List, Optional, TypedDict, cast


class ReportedToken(TypedDict):
    """The token of an attempt, without its value. Seconds; None = unknown."""

    format: str
    age_s: float
    remaining_s: Optional[float]


class Analysis(TypedDict):
    """The check that most clients make, for comparison: `exp` against the local wall clock."""

    status: str
    local_time: str
    token_exp: Optional[str]
    time_remaining_s: Optional[float]
    skew_low_s: Optional[float]
    skew_high_s: Optional[float]


class Attempt(TypedDict):
    """One failed or missing answer of either host, or the last good one."""

    n: int
    host: str
    http_status: Optional[int]
    error_code: str
    correlation_id: str
    server_date: Optional[str]
    verdict: Optional[str]
    explanation: str
    token: Optional[ReportedToken]
    analysis: Analysis
    action: str
    waited_ms: float


class ReportedClock(TypedDict):
    """What was known about one server's clock: server minus local, in seconds."""

    server: str
    offset_low_s: Optional[float]
    offset_high_s: Optional[float]
    staleness_s: float
    samples: int
    rtt_min_ms: Optional[float]


class Report(TypedDict):
    """The report of one call. Contains no secret and no token."""

    schema: str
    method: str
    url: str
    exit_code: int
    http_status: Optional[int]
    verdict: str
    mitigated: bool
    token_requests: int
    elapsed_ms: float
    attempts: List[Attempt]
    clocks: List[ReportedClock]


def read_report(text: str) -> Optional[Report]:
    """A report from its JSON; None for an empty text."""
    return cast(Report, json.loads(text)) if text else None


def read_attempt(text: str) -> Optional[Attempt]:
    """An attempt from its JSON; None for an empty text."""
    return cast(Attempt, json.loads(text)) if text else None
