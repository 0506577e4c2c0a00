"""What is read of labels and annotations, whoever has set them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import marks


def test_only_our_own_are_kept() -> None:
    given = {"kf.dev/key": "k", "app.kubernetes.io/name": "shop", "tekton.dev/pipeline": "p", "team": "a"}
    assert marks.own_marks(given) == {"kf.dev/key": "k", "app.kubernetes.io/name": "shop"}
    assert marks.own_marks(None) == marks.own_marks({}) == {}


@given(st.integers(0, 10**12))
def test_a_number_is_read_as_it_is_written(number: int) -> None:
    assert marks.number({marks.TASK_ID: str(number)}, marks.TASK_ID) == number


@given(st.text().filter(lambda text: not text.isdecimal()))
def test_what_is_no_number_counts_as_none(text: str) -> None:
    assert marks.number({marks.TASK_ID: text}, marks.TASK_ID) == 0 == marks.number({}, marks.TASK_ID)


def test_a_number_that_no_run_ever_has_counts_as_none() -> None:
    assert marks.number({marks.TASK_ID: "9" * 5000}, marks.TASK_ID) == 0
