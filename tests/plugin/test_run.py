"""What a Run does in the plugin, where no History is told of the Tasks of a program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from kf_tasks.core import marks
from kf_tasks.core.run.attempts import STORED
from kf_tasks.provider import adapter
from kf_tasks.provider.run import Runs
from kf_tasks.provider.survey import Survey

from ..provider.previews import Seen
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
        assert found.inputs["_expired"], "what policies and reviews read is there in both"
    lines = [line for line in seen.said if "run-1" in line]
    assert len(lines) == (5 if plugin else 0) and all("delete" in line for line in lines)


class Cluster:
    """Notes which runs are marked."""

    def __init__(self) -> None:
        self.marked: list[tuple[str, Any]] = []

    def annotate_run(self, _namespace: str, name: str, annotations: dict[str, Any], **_: Any) -> None:
        self.marked.append((name, annotations[marks.RECORDED]))


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("state", ["Succeeded", "Running"])
def test_a_run_marks_its_own_record_once_the_state_holds_it_whole(plugin: bool, preview: bool, state: str) -> None:
    """Also one that nobody has waited for, which retention would keep for ever else."""
    seen = Seen(Survey(cluster="one", runs=EXISTING), Cluster())
    olds = {**OLDS, "run": "run-5", "state": state}
    Runs(seen).diff(olds, {**OLDS, "__preview": preview})
    wanted = plugin and not preview and state == "Succeeded"
    assert seen.answers.marked == ([("run-5", STORED)] if wanted else [])
