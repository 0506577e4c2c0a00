"""What nobody tells of is looked at soon at first, and then ever less often, to a limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import polling

SECONDS = st.floats(0, 1e6)


@given(SECONDS, SECONDS, st.floats(0.1, polling.LATE_SECONDS))
def test_pauses_grow_with_the_time_without_a_change(one: float, other: float, soon: float) -> None:
    earlier, later = (polling.pause(waited, soon) for waited in sorted((one, other)))
    assert soon <= earlier <= later <= polling.LATE_SECONDS


def test_an_hour_costs_a_few_hundred_looks() -> None:
    waited, looks = 0.0, 0
    while waited < 3600:
        waited, looks = waited + polling.pause(waited), looks + 1
    assert polling.pause(0) == 1 and 360 <= looks < 500
