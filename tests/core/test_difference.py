"""Whatever differs, a line of it is one line, harmless and short."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import difference

TEXTS = st.text(max_size=400) | st.text("ab\n\x1b[<{%", max_size=400)


@given(TEXTS, TEXTS)
def test_texts_are_one_line(before: str, after: str) -> None:
    shown = difference.texts(before, after)
    assert "\n" not in shown and "\x1b" not in shown and "<{%" not in shown
    assert len(shown) <= 2 * (difference.LONGEST + 2) + 3


@given(st.lists(TEXTS, max_size=40), st.lists(TEXTS, max_size=40))
def test_lines_that_are_the_same_are_not_shown(before: list[str], after: list[str]) -> None:
    found = difference.lines(before, after)
    assert bool(found) == (before != after) and len(found) <= difference.MOST
    assert all("\n" not in line and line[:2] in ("- ", "+ ", "… ") for line in found)
    assert [line[0] for line in difference.lines([], after[:20])] == ["+"] * len(after[:20])


def test_what_differs_between_maps() -> None:
    assert difference.entries({"A": 1.0, "B": "x", "C": "1"}, {"B": "y", "C": "1", "D": ""}) == [
        "+D ''", "-A", "B x → y",
    ]  # fmt: skip
    assert difference.entries({"A": None}, {"A": 1, "B": None}, values=False) == ["+B", "~A"]


def test_the_part_that_differs_is_shown_of_long_texts() -> None:
    assert difference.texts("x" * 200 + "old", "x" * 200 + "new") == f"…{'x' * 20}old → …{'x' * 20}new"
    assert difference.text({"b": 2.0, "a": [1.5, None]}) == '{"a": [1.5, null], "b": 2}'
