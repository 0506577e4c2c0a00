"""Names that change, in Pulumi and in the cluster: what has run stays, or the preview says that it goes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ..processes import providers_of
from .conftest import Stack, eventually, kubectl

TWO = "Task('migrate', app=app, command='echo migrated')\nTask('report', app=app, command='echo reported')\n"


def names(stack: Stack) -> list[str]:
    return sorted(run["metadata"]["name"] for run in stack.runs())


def owners(stack: Stack) -> set[str]:
    return {run["metadata"]["labels"]["kf.dev/stack"] for run in stack.runs()}


def test_a_stack_that_is_renamed_keeps_its_runs(stack: Stack) -> None:
    app = "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
    stack.write(app + TWO).up().ok()
    before = names(stack)
    stack.pulumi("stack", "rename", "live.eu").ok()
    stack.env["PULUMI_STACK"] = "live.eu"
    shown = stack.preview().ok().text
    assert "this stack was 'e2e.dev': what has run stays, and is found under its new name" in shown
    assert "will run" not in shown and "to delete" not in shown and "to replace" not in shown
    stack.up().ok()
    assert names(stack) == before
    [owner] = owners(stack)
    assert owner.startswith("e2e.live.eu-")
    stack.up("--expect-no-changes").ok()
    assert "will run: first run" in stack.write(app + TWO + "Task('new', app=app, command='true')").preview().ok().text
    stack.up().ok()
    stack.pulumi("destroy", "--yes", "--skip-preview").ok()
    assert stack.runs() == []


def test_an_app_that_is_renamed_keeps_its_runs_by_an_alias_and_is_refused_without(stack: Stack) -> None:
    stack.write("app = App('shop', space=space, image=f'{R}/busybox:1')\n" + TWO).up().ok()
    before = names(stack)
    renamed = "app = App('web', app_name='shop', space=space, image=f'{{R}}/busybox:1'{more})\n" + TWO
    text = stack.write(renamed.format(more="")).preview().failed().text
    assert "aliases=[Alias(name='shop')]" in text and "with which its runs would go" in text
    assert ".metadata.annotations.kf.dev/urn" in stack.up().failed().text, "an update without a preview"
    made = [one["urn"] for one in stack.state()["deployment"]["resources"] if one["type"].startswith("kubernetes:")]
    assert not [urn for urn in made if urn.endswith("::web")], "nothing that both would have"
    body = renamed.format(more=", opts=ResourceOptions(aliases=[pulumi.Alias(name='shop')])")
    shown = stack.write(body).preview().ok().text
    assert "will run" not in shown and "will delete" not in shown
    stack.up().ok()
    assert names(stack) == before
    stack.up("--expect-no-changes").ok()


def test_projects_and_stacks_with_dots_are_not_one(stacks: Callable[..., Stack]) -> None:
    first = stacks("first", project="x.eu", name="prod")
    second = stacks("second", namespace=first.namespace, project="x", name="eu.prod")
    kubectl("create", "namespace", first.namespace)
    body = "space = Space('own', namespace=NS)\napp = App('shop', space=space, image=f'{R}/busybox:1')\n" + TWO
    first.write(body).up().ok()
    before = names(first)
    assert "belongs to stack 'x.eu.prod-" in second.write(body).preview().failed().text
    assert names(first) == before


def test_what_was_killed_before_it_was_recorded_is_not_pruned_and_not_run_again(stack: Stack) -> None:
    body = "app = App('shop', space=space, image=f'{R}/busybox:1', keep=1)\n" + "".join(
        f"Task('t{nth}', app=app, command='echo begun; sleep {8 + 2 * nth}')\n" for nth in range(3)
    )
    process = stack.write(body).start("--skip-preview")
    eventually(lambda: len(stack.runs()) == 3, 90)
    process.kill()  # the CLI alone: what follows the tasks for it goes on, and writes down how they end
    process.wait()
    eventually(lambda: all("kf.dev/outcome" in run["metadata"]["annotations"] for run in stack.runs()), 120)
    eventually(lambda: not providers_of(stack.folder), 60)  # and ends itself, as its engine is gone
    stack.pulumi("cancel", "--yes").ok()
    before = names(stack)
    assert "not recorded yet" in stack.kf("prune", "shop", "--dry-run").text
    text = stack.up().ok().text
    assert all(f"run {name} adopted" in text for name in before)
    stack.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates").ok()


@pytest.mark.parametrize("goes_on", [[], ["--continue-on-error"]], ids=["stops", "goes-on"])
def test_a_task_put_back_runs_once_more_where_its_update_failed_elsewhere(stack: Stack, goes_on: list[str]) -> None:
    app = "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
    own = "Task('m', app=app, command='echo m')\n"
    stack.write(app + own + "Task('bad', app=app, command='sleep 5; exit 1')").up(*goes_on).failed()
    stack.write(app).up().ok()
    stack.write(app + own).up().ok()
    runs = [run for run in stack.runs() if run["metadata"]["labels"]["kf.dev/task"] == "m"]
    assert len(runs) == 2, json.dumps([run["metadata"] for run in runs])
