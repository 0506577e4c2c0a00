"""Spans of time and columns as kubectl writes them, and tables on a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Literal

import pytest
from kf_tasks.cli.table import aligned, show, span, styled
from rich.console import Console

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


ROWS = [
    ("Name", "Succeeded", "Reason"),
    ("shop-migrate-1234-1", "False", "[red]Failed[/red]: a long story that is told in many words"),
    ("shop", "True", "Succeeded"),
]


def on_terminal(
    rows: Sequence[tuple[str, ...]], width: int, headed: bool = True, colours: bool = False, fold: bool = True
) -> list[str]:
    system: Literal["standard"] | None = "standard" if colours else None
    console = Console(file=io.StringIO(), width=width, force_terminal=colours, highlight=False, color_system=system)
    console.print(styled(rows, headed, width, fold=fold), crop=False)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_on_a_terminal_the_last_column_is_folded_and_names_stay_whole() -> None:
    assert on_terminal(ROWS, 60) == [
        "Name                 Succeeded  Reason",
        "shop-migrate-1234-1  False      [red]Failed[/red]: a long",
        "                                story that is told in many",
        "                                words",
        "shop                 True       Succeeded",
    ]
    assert on_terminal(ROWS, 20)[1] == "shop-migrate-1234-1  False      [red]Failed[/red]: a long"


@pytest.mark.parametrize("width", [20, 60, 200])
def test_what_changes_in_its_place_has_a_line_for_each_row(width: int) -> None:
    """As many rows as the terminal has lines are shown, the newest last: a folded one would push those out."""
    shown = on_terminal(ROWS * 5, width, fold=False)
    assert len(shown) == len(ROWS * 5) and shown[2].split()[0] == "shop"
    assert shown[1].endswith("…" if width < 200 else "words") and shown[1].startswith("shop-migrate-1234-1")


def test_on_a_terminal_the_state_has_a_colour() -> None:
    _, first, *_, last = on_terminal(ROWS, 100, colours=True)
    assert "\x1b[31mFalse" in first and "\x1b[32mTrue" in last and "\x1b[32mSucceeded" not in last
    name, state = on_terminal([("Name", "True"), ("State", "Pending")], 80, headed=False, colours=True)
    assert name.startswith("\x1b[1mName ") and name.endswith("True") and "\x1b[33mPending" in state


def test_only_a_terminal_gets_a_table_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for variable in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for stream, coloured in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stdout", stream)
        show(ROWS)
        assert ("\x1b[" in stream.getvalue()) is coloured
        assert "shop-migrate-1234-1" in stream.getvalue()
