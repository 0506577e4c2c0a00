"""Moments in the form that the API has, which sorts as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import moments

instants = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC))


@given(instants, st.integers(-14, 14))
def test_a_moment_is_read_back_to_the_second_whatever_its_zone(instant: datetime, hours: int) -> None:
    text = moments.text_of(instant.astimezone(timezone(timedelta(hours=hours))))
    assert moments.parse(text) == instant.replace(microsecond=0)
    assert moments.epoch(text) == int(instant.replace(microsecond=0).timestamp())


@given(instants, instants)
def test_moments_sort_as_text(one: datetime, other: datetime) -> None:
    texts = sorted([moments.text_of(one), moments.text_of(other)])
    assert texts == [moments.text_of(min(one, other)), moments.text_of(max(one, other))]


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-11-26T00:18:41Z", 0),
        ("2026-11-26T00:18:41.5Z", 500000),
        ("2026-11-26T00:18:41.123456789Z", 123456),
        ("2026-11-26T01:18:41.123456789+01:00", 123456),
    ],
)
def test_every_precision_of_kubernetes_is_read(text: str, microsecond: int) -> None:
    assert moments.parse(text) == datetime(2026, 11, 26, 0, 18, 41, microsecond, UTC)


def test_an_age_of_many_centuries_reaches_back_before_every_run() -> None:
    year = 366 * 86400
    assert moments.before("2026-01-01T00:00:00Z", 60) == "2025-12-31T23:59:00Z"
    assert moments.before("2026-01-01T00:00:00Z", 1500 * year) < "1970-01-01T00:00:00Z"
    assert moments.before("2026-01-01T00:00:00Z", 3000 * year) < "1970-01-01T00:00:00Z"


def test_a_header_without_sense_tells_no_time() -> None:
    assert moments.of_header("Thu, 26 Nov 2026 00:18:41 GMT") == "2026-11-26T00:18:41Z"
    assert moments.of_header(None) is moments.of_header("soon") is None


def test_a_span_is_never_negative() -> None:
    assert moments.seconds_between("2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z") == 90
    assert moments.seconds_between("2026-01-01T00:01:30Z", "2026-01-01T00:00:00Z") == 0
    assert moments.seconds_between(None, "2026-01-01T00:00:00Z") is None
