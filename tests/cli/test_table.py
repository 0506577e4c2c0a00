"""Spans of time and columns as kubectl writes them."""

import pytest

from components.cli.table import aligned, span

START = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2026-01-01T00:00:00Z", "0s"),
        ("2026-01-01T00:00:59Z", "59s"),
        ("2026-01-01T00:03:20Z", "3m20s"),
        ("2026-01-01T00:05:00Z", "5m"),
        ("2026-01-01T05:00:59Z", "5h"),
        ("2026-01-03T04:59:00Z", "2d4h"),
        ("2025-12-31T23:59:59Z", "0s"),
        (None, ""),
    ],
)
def test_span(end: str | None, expected: str) -> None:
    assert span(START, end) == expected


def test_span_of_what_has_not_started() -> None:
    assert span(None, START) == ""


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    assert aligned([("Name", "ID", "Reason"), ("shop-1", "1", "")]) == ["Name    ID  Reason", "shop-1  1"]
