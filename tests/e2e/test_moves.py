"""A project that is renamed, resources that move to another stack, and two Spaces in one namespace keep their runs."""

from __future__ import annotations

import json

import pytest

from .conftest import Result, Stack

QUIET = ("will run", "may run", "will delete", "to delete", "to replace", "deletes with their logs", "deleted ")


def quiet(told: Result) -> str:
    text = told.ok().text
    assert not [words for words in QUIET if words in text], text
    return text


# A provider of one's own: that of a Space is its child, which Pulumi 3.274 cannot move (it puts it before its parent).
ONE = (
    "own = k8s.Provider('own', enable_secret_mutable=True, enable_config_map_mutable=True)\n"
    "there = ResourceOptions(provider=own)\n"
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', opts=there)\n"
    "Task('migrate', app=App('shop', space=space, image=f'{R}/busybox:1'), command='echo once')\n"
)
TWO = ONE + (
    "more = Space('more', namespace=space.namespace, memory='32M', disk='64M', cpu='10m', opts=there)\n"
    "Task('report', app=App('office', space=more, image=f'{R}/busybox:1'), command='echo report')\n"
)


@pytest.mark.soak
def test_a_project_is_renamed_and_an_app_moves_to_another_stack(stack: Stack) -> None:
    stack.write(TWO).up().ok()
    before = [*stack.runs(), *stack.runs("office")]
    assert len(before) == 2

    stack.pulumi("stack", "rename", "organization/renamed/dev").ok()
    project = json.loads((stack.folder / "Pulumi.yaml").read_text())
    (stack.folder / "Pulumi.yaml").write_text(json.dumps({**project, "name": "renamed"}))
    stack.pulumi("stack", "select", "dev").ok()
    shown = quiet(stack.preview())
    assert shown.count("this stack was 'e2e.dev': what has run stays") >= 2, "said of each App"
    quiet(stack.up())

    resources = stack.state()["deployment"]["resources"]
    urns = [one["urn"] for one in resources if not one["type"].startswith("pulumi:p")]  # providers go with them
    stack.pulumi("stack", "init", "prod", "--no-select").ok()
    names = ("--source", "organization/renamed/dev", "--dest", "organization/renamed/prod")
    stack.pulumi("state", "move", "--yes", *names, *urns).ok()
    stack.write("# no Space() any more").up().ok()
    stack.pulumi("stack", "select", "prod").ok()
    stack.env["PULUMI_STACK"] = "prod"
    stack.write(TWO)
    shown = quiet(stack.preview())
    assert "this stack was 'renamed.dev': what has run stays, and is found under its new name" in shown
    quiet(stack.up())
    assert [*stack.runs(), *stack.runs("office")] != []
    kept = {run["metadata"]["uid"]: run["metadata"]["labels"] for run in [*stack.runs(), *stack.runs("office")]}
    assert set(kept) == {run["metadata"]["uid"] for run in before}
    assert {labels["kf.dev/stack"] for labels in kept.values()} == {"renamed.prod"}
    assert "unchanged" in quiet(stack.up())

    stack.write(ONE)
    assert "will delete" not in stack.preview().ok().text
    text = stack.up().ok().text
    assert "deletes with their logs the run of app 'office'" in text
    assert len(stack.runs()) == 1 and stack.runs("office") == [], "the second Space goes alone"
