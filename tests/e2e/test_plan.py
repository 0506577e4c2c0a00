"""What a preview says of runs is what the update does: each new one is counted, and a saved plan lets it happen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import Stack

NEW = "".join(f"Task('new-{number}', app=app, command='echo new')\n" for number in range(5))


def names(stack: Stack) -> set[str]:
    return {run["metadata"]["name"] for run in stack.runs()}


def inputs(stack: Stack, kind: str, name: str) -> dict[str, Any]:
    resources = {resource["urn"]: resource for resource in stack.state()["deployment"]["resources"]}
    return dict(resources[stack.urn(f"pulumi-python:dynamic/kf:{kind}", name)]["inputs"])


@pytest.fixture
def stack(stack: Stack) -> Stack:
    stack.env["PULUMI_EXPERIMENTAL"] = "true"  # saved plans are
    return stack


@pytest.mark.parametrize("keep", [1, 3, 7])
def test_every_new_run_is_counted_and_a_saved_plan_holds(stack: Stack, keep: int) -> None:
    for number in (1, 2):
        stack.task(f"command='echo {number}'", f"keep={keep}").up().ok()
    before = names(stack)
    stack.task("command='echo 3'", f"keep={keep}", after=NEW)
    shown = stack.preview("--save-plan", "plan.json").ok().text
    certain = {
        name for line in re.findall(r"will delete .*", shown) for name in re.findall(r"shop-migrate-\w+-\d", line)
    }
    perhaps = {
        name for line in re.findall(r"may delete .*", shown) for name in re.findall(r"shop-migrate-\w+-\d", line)
    }
    stack.up("--plan", "plan.json").ok()
    gone = before - names(stack)
    assert certain <= gone <= certain | perhaps
    assert len(certain | perhaps) == max(0, min(len(before), len(before) + 6 - keep))
    for name in ("migrate", *(f"new-{number}" for number in range(5))):
        found = inputs(stack, "Run", f"shop-{name}")
        assert found["_starts"] == "will" and found["_because"]
    stack.up().ok()
    found = inputs(stack, "Run", "shop-migrate")
    assert found["_starts"] == found["_because"] == ""


def test_a_first_plan_of_what_is_not_known_yet_holds(stack: Stack) -> None:
    """What only the update knows is unknown in the plan, too."""
    late = "Task('late', app=app, command='echo late', triggers=[migrate.run])\n"
    job = "import kf_tasks\nkf_tasks.TaskSchedule('nightly', app=app, command='echo', schedule='0 3 * * *')\n"
    stack.task("command='echo 1'", after=late + job)
    shown = stack.preview("--save-plan", "plan.json").ok().text
    assert "may run: triggers are known only during the update" in shown
    stack.up("--plan", "plan.json").ok()
    assert inputs(stack, "Run", "shop-late")["_starts"] == "will"


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
