"""Estimator: bounds from Date fields, without a client."""

import time
from email.utils import formatdate

import pytest
import skewguard


def observe(estimator, ahead, ago=0.0):
    """An answer `ago` seconds ago of a server whose clock is `ahead` seconds ahead."""
    then = time.time() - ago
    estimator.observe(formatdate(int(then + ahead), usegmt=True), then - 0.01, then + 0.01)


def test_bounds_contain_server_minus_local():
    estimator = skewguard.Estimator()
    assert estimator.bounds() is None
    for ago in (3.7, 2.2, 1.4, 0.9, 0.1):
        observe(estimator, 100.0, ago)
    low, high = estimator.bounds()
    assert low <= 100.0 <= high
    assert high - low < 4


def test_staleness_widens_the_bounds():
    narrow, wide = skewguard.Estimator(staleness=0), skewguard.Estimator(staleness=5)
    for one in (narrow, wide):
        observe(one, -50.0)
    assert wide.bounds()[1] - wide.bounds()[0] > narrow.bounds()[1] - narrow.bounds()[0] + 4


def test_what_is_no_date_is_refused():
    now = time.time()
    for date in ("", "yesterday", "Mon, 30 Nov 2026 25:00:00 GMT"):
        with pytest.raises(skewguard.ConfigError):
            skewguard.Estimator().observe(date, now, now)
    with pytest.raises(skewguard.ConfigError):
        skewguard.Estimator().observe(formatdate(now, usegmt=True), now, now - 10)


def test_a_staleness_is_at_most_an_hour():
    assert skewguard.Estimator(staleness=3600).bounds() is None
    for wrong in (-1, 3601, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="staleness"):
            skewguard.Estimator(staleness=wrong)
    with pytest.raises(TypeError, match="staleness"):
        skewguard.Estimator(staleness="1s")


@pytest.mark.parametrize("wrong, error", [
    ({"date": None}, TypeError),
    ({"date": f"{formatdate(0, usegmt=True)}\0"}, skewguard.ConfigError),
    ({"sent": float("nan")}, ValueError), ({"sent": "1"}, TypeError),
    ({"received": 1e300}, ValueError), ({"received": -1e300}, ValueError)])
def test_a_wrong_argument_is_refused_by_its_name(wrong, error):
    given = {"date": formatdate(0, usegmt=True), "sent": 1.0, "received": 2.0}
    with pytest.raises(error, match=next(iter(wrong))):
        skewguard.Estimator().observe(**{**given, **wrong})


def test_it_shows_its_bounds():
    estimator = skewguard.Estimator()
    assert repr(estimator) == "<skewguard.Estimator None>"
