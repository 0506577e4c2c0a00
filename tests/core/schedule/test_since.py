"""From when a CronJob's times hold: only what changes them counts, whoever changes what else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import marks, moments
from kf_tasks.core.schedule import since, slot

SINCE = "kf.dev/times-since"
MADE = "2026-11-25T00:00:00Z"


def cron_job(applied: str = MADE, **spec: Any) -> dict[str, Any]:
    fields: Any = {"f:spec": {"f:schedule": {}, "f:suspend": {}, "f:jobTemplate": {}}}
    status: Any = {"f:spec": {"f:suspend": {}}}
    return {
        "metadata": {
            "creationTimestamp": MADE,
            "managedFields": [
                {"manager": "pulumi", "time": applied, "fieldsV1": fields},
                {"manager": "controller", "time": "2027-01-01T00:00:00Z", "subresource": "status", "fieldsV1": status},
            ],
        },
        "spec": {"schedule": "0 3 * * *", "timeZone": "Etc/UTC", "suspend": False, **spec},
    }


def marked(found: dict[str, Any], kept: bool = True) -> dict[str, Any]:
    """The CronJob when an update has looked at it."""
    found = copy.deepcopy(found)
    found["metadata"]["annotations"] = {**found["metadata"].get("annotations", {}), **since.marks(found, kept)}
    return found


def applied(found: dict[str, Any], at: str, **spec: Any) -> dict[str, Any]:
    """The CronJob after an update or `kubectl` has applied something."""
    found = copy.deepcopy(found)
    found["metadata"]["managedFields"][0]["time"] = at
    found["spec"].update(spec)
    return found


def changed(found: dict[str, Any], at: str, **spec: Any) -> dict[str, Any]:
    """The CronJob after `kf` has changed its times."""
    annotations = since.changing(found, spec, at)
    found = applied(found, at, **spec)
    found["metadata"]["annotations"] = {**found["metadata"].get("annotations", {}), **annotations}
    return found


def test_another_node_selector_drops_no_time() -> None:
    """The cluster missed 04:00, the node selector was changed at 04:30, the Job comes at 05:00."""
    found = applied(marked(cron_job()), "2026-11-26T04:30:00Z", jobTemplate={"another": "node selector"})
    annotations = {marks.TIMESTAMP: "2026-11-26T04:00:00Z"}
    job = {"metadata": {"creationTimestamp": "2026-11-26T05:00:00Z", "annotations": annotations}}
    assert slot.outdated(job, found) == ""
    assert slot.outdated(job, marked(found)) == ""
    resumed = changed(changed(found, "2026-11-26T03:00:00Z", suspend=True), "2026-11-26T04:45:00Z", suspend=False)
    for later in (resumed, applied(resumed, "2026-11-26T06:00:00Z")):
        assert "before the schedule was changed or resumed (2026-11-26T04:45:00Z)" in slot.outdated(job, later)


@pytest.mark.parametrize("spec", [{"schedule": "0 4 * * *"}, {"timeZone": "Europe/Berlin"}, {"suspend": True}])
def test_what_counts(spec: dict[str, Any]) -> None:
    at = "2026-11-26T04:00:00Z"
    for found in (applied(marked(cron_job()), at, **spec), changed(marked(cron_job()), at, **spec)):
        assert since.since(found) == since.since(marked(found)) == at, "before and after it is written down"
        assert since.since(applied(marked(found), "2026-11-27T00:00:00Z", jobTemplate={})) == at


def test_one_of_a_version_that_wrote_nothing_down() -> None:
    old = cron_job("2026-11-26T04:00:00Z")
    assert since.since(old) == "2026-11-26T04:00:00Z", "as that version took it"
    assert since.since(marked(old)) == MADE
    assert since.since(marked(old, kept=False)) == "2026-11-26T04:00:00Z", "this update has changed its times"
    assert since.marks(marked(old), True) == {}
    bare = {"metadata": {"creationTimestamp": MADE}, "spec": {"schedule": "0 3 * * *"}}
    assert since.since(bare) == "" and since.since(marked(bare, kept=False)) == MADE


@pytest.mark.no_cover
@given(
    st.lists(
        st.tuples(
            st.sampled_from([applied, changed]),
            st.fixed_dictionaries(
                {},
                optional={
                    "schedule": st.sampled_from(["0 3 * * *", "0 4 * * *"]),
                    "timeZone": st.sampled_from(["Etc/UTC", "Europe/Berlin"]),
                    "suspend": st.booleans(),
                    "jobTemplate": st.integers(0, 3),
                },
            ),
        ),
        max_size=12,
    )
)
def test_whatever_was_changed_it_is_the_last_change_of_the_times(steps: list[Any]) -> None:
    """By an update, which looks afterwards, and by `kf`: the model knows the last step that changed the times."""
    found, right = marked(cron_job()), MADE
    for nth, (step, spec) in enumerate(steps, 1):
        at = moments.text_of(moments.parse(MADE)).replace("T00:00", f"T{nth:02}:00")
        before = {name: found["spec"][name] for name in ("schedule", "timeZone", "suspend")}
        found = step(found, at, **spec)
        right = at if before != {name: found["spec"][name] for name in before} else right
        assert since.since(found) == right
        found = marked(found)
        assert since.since(found) == right
