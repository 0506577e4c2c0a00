"""What is remembered of runs that were let go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.retention.plan import plan
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.retention.pruned import KEPT, Pruned, find, noting, of_verdicts, read
from kf_tasks.core.run.summary import RunSummary

WHEN = "2026-01-01T00:00:00Z"


def template(text: str = "") -> dict[str, Any]:
    return {"metadata": {"resourceVersion": "7", "annotations": {marks.PRUNED: text} if text else None}}


some = st.builds(
    Pruned,
    st.integers(0, 10**9),
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,60}", fullmatch=True),
    st.just(WHEN),
    st.sampled_from(["beyond the newest 500", "older than 30d"]),
)


@pytest.mark.no_cover
@given(st.lists(st.lists(some, max_size=60), max_size=5))
def test_the_newest_stay_in_their_order(batches: list[list[Pruned]]) -> None:
    found = template()
    for batch in batches:
        patch = noting(found, batch)["metadata"]
        assert patch["resourceVersion"] == "7"
        found = template(patch["annotations"][marks.PRUNED])
    every = [each for batch in batches for each in batch]
    assert read(found) == every[-KEPT:]
    for each in read(found):
        assert (by_id := find(found, each.id)) and by_id.id == each.id
        assert (by_name := find(found, name=each.name)) and by_name.name == each.name


def test_what_somebody_else_wrote_is_left_out() -> None:
    assert read(template("nonsense\n\n1 a\n2 run 2026-01-01T00:00:00Z pinned\nx y z w")) == [
        Pruned(2, "run", WHEN, "pinned")
    ]
    assert find(template(), 0) is None and find(template(), name="") is None


def test_the_rule_is_that_of_the_plan() -> None:
    def run(number: int) -> RunSummary:
        labels = {marks.TASK_ID: str(number)}
        return RunSummary(f"run-{number}", str(number), f"2026-01-01T00:00:0{number}Z", True, labels, succeeded="True")

    verdicts = plan([run(number) for number in range(5)], Policy(2))
    assert of_verdicts(verdicts, ["run-0", "run-2"], WHEN) == [
        Pruned(0, "run-0", WHEN, "beyond the newest 2"),
        Pruned(2, "run-2", WHEN, "beyond the newest 2"),
    ]
