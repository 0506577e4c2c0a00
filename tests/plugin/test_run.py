"""What a Run does in the plugin, where no History is told of the Tasks of a program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from kf_tasks.core import marks
from kf_tasks.core.run.attempts import STORED
from kf_tasks.errors import Denied
from kf_tasks.provider import adapter
from kf_tasks.provider.run import Runs
from kf_tasks.provider.survey import Survey

from ..provider.previews import Answers, Seen
from ..provider.test_foretold import Cluster as Holding
from ..provider.test_lifecycle import NEWS, OLDS
from ..runs.test_submission import run

EXISTING = [replace(run(nth), name=f"run-{nth}", created=f"2026-11-25T00:0{nth}:00Z") for nth in range(1, 6)]


@pytest.fixture(params=[True, False], ids=["plugin", "dynamic"])
def plugin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(adapter, "_process", adapter._Process(plugin=bool(request.param)))
    return bool(request.param)


def test_a_preview_says_under_each_task_what_goes_after_it(plugin: bool) -> None:
    """Under the dynamic provider the History says it, of all of them together."""
    seen = Seen(Survey(cluster="one", runs=EXISTING))
    for task in ("a", "b", "c", "d", "e"):
        found = Runs(seen).check({}, {**NEWS, "task": task, "keep": 3})
        assert found.inputs["_expired"], "what policies read is there in both"
        sure = [one["run"] for one in found.inputs.get("_deletions", ()) if one["sure"]]
        assert sure == (found.inputs["_expired"][2:] if plugin else []), "what a History has not told already"
    lines = [line for line in seen.said if "run-1" in line]
    assert len(lines) == (5 if plugin else 0) and all("delete" in line for line in lines)


class Cluster:
    """Notes which runs are marked."""

    def __init__(self) -> None:
        self.marked: list[tuple[str, Any]] = []

    def annotate_run(self, _namespace: str, name: str, annotations: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.marked.append((name, annotations[marks.RECORDED]))
        return {"annotations": annotations, "resourceVersion": "2"}


def test_of_the_runs_of_one_update_none_goes_before_its_record_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five tasks in an App that keeps one run: at the end of the first update there is one, and a second is quiet."""
    awaited = [replace(one, annotations={marks.AWAITED: "true"}) for one in EXISTING]
    cluster = Holding([replace(one, labels={**one.labels, marks.TASK: f"t{nth}"}) for nth, one in enumerate(awaited)])
    seen = Seen(cluster=cluster)
    left = []
    for one in EXISTING[::-1]:
        Runs(seen).stored({**OLDS, "keep": 1, "run": one.name, "state": "Succeeded"})
        left.append(len(cluster.runs))
    assert left == [5, 4, 3, 2, 1] and [*cluster.runs] == ["run-5"]
    assert [line for line in seen.said if line.startswith("deleted 1 run of app 'shop': run-")] == seen.said


@pytest.mark.parametrize("record", [{"run": "run-1", "state": "Running"}, {"run": "", "state": "Held"}])
def test_what_has_not_ended_is_not_marked(record: dict[str, str]) -> None:
    cluster = Holding(EXISTING)
    Runs(Seen(cluster=cluster)).stored({**OLDS, "keep": 1, **record})
    assert len(cluster.runs) == 5 and not [one for one in cluster.runs.values() if one.annotations]


def test_what_is_written_when_the_update_ends_is_not_stored_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_SKIP_CHECKPOINTS", "true")
    cluster = Holding(EXISTING)
    Runs(Seen(cluster=cluster)).stored({**OLDS, "keep": 1, "run": "run-1", "state": "Succeeded"})
    assert len(cluster.runs) == 5 and not [one for one in cluster.runs.values() if one.annotations]


def test_a_mark_that_is_refused_is_a_warning() -> None:
    seen = Seen(cluster=Answers(annotate_run=Denied("you may not patch")))
    Runs(seen).stored({**OLDS, "run": "run-1", "state": "Succeeded"})
    assert seen.said == ["warning: run run-1 could not be marked as recorded: you may not patch"]


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("state", ["Succeeded", "Running"])
def test_a_run_marks_its_own_record_once_the_state_holds_it_whole(plugin: bool, preview: bool, state: str) -> None:
    """Also one that nobody has waited for, which retention would keep for ever else."""
    seen = Seen(Survey(cluster="one", runs=EXISTING), Cluster())
    olds = {**OLDS, "run": "run-5", "state": state}
    Runs(seen).diff(olds, {**OLDS, "__preview": preview})
    wanted = plugin and not preview and state == "Succeeded"
    assert seen.answers.marked == ([("run-5", STORED)] if wanted else [])
