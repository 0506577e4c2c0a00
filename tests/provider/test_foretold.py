"""What a preview names is what the update that follows it deletes, whatever ran before and however the new runs end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.provider.history import Histories
from kf_tasks.provider.run import Runs
from kf_tasks.runs.pruning import prune

from ..cluster.unwatched import Unwatched
from .previews import Seen

NOW, LATER = "2026-11-25T12:00:00Z", "2026-11-25T12:30:00Z"
DEFINITION = {"image": "i", "argv": ["echo"], "env": {}, "secret_env": [], "triggers": []}
NEWS: dict[str, Any] = {
    "connection": {}, "stack": "shop.dev", "stack_label": "shop.dev", "namespace": "shop", "owns_namespace": False,
    "app": "shop", "when": "change", "must_succeed": False, "manifest": {"metadata": {"labels": {}}}, "urn": "urn",
}  # fmt: skip
TASKS = "abcdef"


class Cluster(Unwatched):
    """Holds the runs of one App."""

    def __init__(self, runs: Sequence[RunSummary]) -> None:
        self.runs, self.now = {run.name: run for run in runs}, NOW

    def list_runs(self, _namespace: str, _app: str, **_: Any) -> list[RunSummary]:
        return list(self.runs.values())

    def note_pruned(self, *_: Any) -> None:
        pass

    def delete_runs(self, _namespace: str, runs: Sequence[RunSummary], **_: Any) -> list[str]:
        return [self.runs.pop(run.name).name for run in runs]

    def annotate_run(self, _namespace: str, name: str, annotations: dict[str, str], **_: Any) -> dict[str, Any]:
        found = self.runs[name]
        self.runs[name] = replace(found, annotations={**found.annotations, **annotations})
        return {"labels": found.labels, "annotations": self.runs[name].annotations, "resourceVersion": found.version}

    def create_run(self, *_: Any, **__: Any) -> None:
        """A dry run that is admitted."""


def run(name: str, created: str, succeeded: str) -> RunSummary:
    labels = {marks.NAME: "shop", marks.STACK: "shop.dev", marks.KEY: "k", marks.TASK: name.partition("-")[0]}
    return RunSummary(name, name, created, succeeded != "Unknown", labels, succeeded=succeeded)


ENDS = st.sampled_from(["True", "False"])
BEFORE = st.lists(st.sampled_from(["True", "True", "False", "Unknown"]), max_size=9)
POLICIES = st.builds(
    Policy, st.integers(0, 8), st.integers(0, 3), st.none() | st.integers(1, 12).map(lambda hours: hours * 3600),
    st.sets(st.sampled_from(["old-0", "old-1"])).map(lambda names: tuple(sorted(names))),
)  # fmt: skip


@pytest.mark.no_cover
@settings(max_examples=300, deadline=None)
@given(BEFORE, POLICIES, st.dictionaries(st.sampled_from(TASKS), ENDS), st.sets(st.sampled_from(TASKS)))
def test_what_is_named_is_what_goes(
    before: list[str], policy: Policy, starting: dict[str, str], held: set[str]
) -> None:
    old = [run(f"old-{hour}", f"2026-11-25T{hour + 1:02}:00:00Z", ended) for hour, ended in enumerate(before)]
    cluster = Cluster(old)
    preview, update = Seen(cluster=cluster), Seen(cluster=cluster)
    news = {**NEWS, **policy.settings(), "runs": []}
    named = []
    for seen, dry in ((preview, True), (update, False)):
        seen.sees(*old, now=NOW)
        for task in starting:
            Runs(seen).check({}, {**news, "__preview": dry, "task": task, "definition": DEFINITION})
        for task in held - {*starting}:
            Runs(seen).check({}, {**news, "__preview": dry, "task": task, "definition": DEFINITION, "terminated": True})
        named.append(Histories(seen).check({}, {**news, "__preview": dry}).inputs["_expired"])
    assert named[0] == named[1], "the same is said and compared in both"
    for nth, (task, ended) in enumerate(starting.items()):
        name = f"{task}-new"
        cluster.runs[name] = run(name, f"2026-11-25T12:{nth + 10}:00Z", ended)
        prune(cluster, "shop", "shop", policy, name if ended == "True" else "")  # type: ignore[arg-type]
    Histories(update).create({**news, "runs": [f"{task}-new" for task in starting]})
    gone = {one.name for one in old} - {*cluster.runs}
    certain, perhaps = (
        {name for line in preview.said if line.startswith(word) for name in re.findall(r"old-\d", line)}
        for word in ("will delete", "may delete")
    )
    assert certain == {*named[0]} and certain <= gone <= certain | perhaps
