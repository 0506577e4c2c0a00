"""What a preview says of runs is what the update does: each new one is counted, and a saved plan lets it happen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import Stack


def names(stack: Stack, app: str) -> set[str]:
    return {run["metadata"]["name"] for run in stack.runs(app)}


def inputs(stack: Stack) -> dict[str, dict[str, Any]]:
    """Those of all records of runs in the state, by their resources' names."""
    resources = stack.state()["deployment"]["resources"]
    return {one["urn"].rpartition("::")[2]: one["inputs"] for one in resources if one["type"].endswith("kf:Run")}


@pytest.fixture
def stack(stack: Stack) -> Stack:
    stack.env["PULUMI_EXPERIMENTAL"] = "true"  # saved plans are
    return stack


def test_every_new_run_is_counted_and_a_saved_plan_holds(stack: Stack) -> None:
    """Of three Apps, whose `keep` is less, as many and more than there are."""
    keeps = (1, 3, 7)

    def program(said: int, new: int) -> Stack:
        return stack.write(
            f"for keep in {keeps}:\n"
            "    app = App(f'shop{keep}', space=space, image=f'{R}/busybox:1', keep=keep)\n"
            f"    Task('migrate', app=app, command='echo {said}')\n"
            f"    for number in range({new}):\n"
            "        Task(f'new-{number}', app=app, command='echo new')\n"
        )

    def named(verb: str, shown: str, keep: int) -> set[str]:
        lines = re.findall(rf"{verb} delete .*", shown)
        return {name for line in lines for name in re.findall(rf"shop{keep}-migrate-\w+-\d", line)}

    for said in (1, 2):
        program(said, 0).up().ok()
    before = {keep: names(stack, f"shop{keep}") for keep in keeps}
    shown = program(3, 5).preview("--save-plan", "plan.json").ok().text
    stack.up("--plan", "plan.json").ok()
    recorded = inputs(stack)
    for keep in keeps:
        certain, perhaps = named("will", shown, keep), named("may", shown, keep)
        gone = before[keep] - names(stack, f"shop{keep}")
        assert certain <= gone <= certain | perhaps
        assert len(certain | perhaps) == max(0, min(len(before[keep]), len(before[keep]) + 6 - keep))
        for name in ("migrate", *(f"new-{number}" for number in range(5))):
            found = recorded[f"shop{keep}-{name}"]
            assert found["_starts"] == "will" and found["_because"]
    stack.up().ok()
    recorded = inputs(stack)
    for keep in keeps:
        found = recorded[f"shop{keep}-migrate"]
        assert found["_starts"] == found["_because"] == ""


def test_a_first_plan_of_what_is_not_known_yet_holds(stack: Stack) -> None:
    """What only the update knows is unknown in the plan, too."""
    late = "Task('late', app=app, command='echo late', triggers=[migrate.run])\n"
    job = "import kf_tasks\nkf_tasks.TaskSchedule('nightly', app=app, command='echo', schedule='0 3 * * *')\n"
    stack.task("command='echo 1'", after=late + job)
    shown = stack.preview("--save-plan", "plan.json").ok().text
    assert "may run: triggers are known only during the update" in shown
    stack.up("--plan", "plan.json").ok()
    assert inputs(stack)["shop-late"]["_starts"] == "will"


def test_a_renamed_task_is_told_how_to_keep_its_record(stack: Stack) -> None:
    stack.task("command='echo 1'").up().ok()
    renamed = "Task('move', app=app, command='echo 1'{})\n"
    app = "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
    shown = stack.write(app + renamed.format("")).preview().ok().text
    [advice] = set(re.findall(r"opts=ResourceOptions\(aliases=\[.*?\]\)", shown))
    assert "will run: first run of this name; if it is task 'migrate' renamed, " in shown
    body = "from pulumi import Alias\n" + app + renamed.format(f", {advice}")
    shown = stack.write(body).preview().ok().text
    assert "will run" not in shown and "will delete" not in shown
    stack.up().ok()
    assert len(stack.runs()) == 1
    assert "will run" not in stack.preview("--expect-no-changes").ok().text
