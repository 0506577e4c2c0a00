"""What is told where an update sees a part only: of resources (`--target`), or of a place that is gone."""

from __future__ import annotations

import re

from .conftest import Stack, kubectl


def names(stack: Stack) -> list[str]:
    return [run["metadata"]["name"] for run in stack.runs()]


def test_an_update_of_one_run_names_what_it_deletes(stack: Stack) -> None:
    """And a namespace that somebody deletes is told as gone, in preview and update, until a refresh makes it anew."""
    other = "Task('other', app=app, command='echo other')\n"
    stack.task("command='echo 1'", "keep=2", after=other).up().ok()
    before = names(stack)
    target = ("--target", "**:Run::shop-migrate")
    stack.task("command='echo 2'", "keep=2", after=other)
    shown = stack.preview(*target).ok().text
    lines = shown.split("Diagnostics:")[1].splitlines()
    [line] = {line.strip() for line in lines if "will delete" in line}
    named = re.findall(r"shop-[\w-]+-\d", line)
    assert len(named) == 1 and line.startswith("will delete 1 of 3: "), shown
    whole = stack.preview().ok().text.split("Diagnostics:")[1]
    assert whole.count("will delete") == 1, "History says it, and nobody else"
    text = stack.up(*target).ok().text
    assert f"deleted 1 run of app 'shop': {named[0]}" in text
    assert set(before) - set(names(stack)) == set(named)

    stack.up().ok()  # the template, too
    kubectl("delete", "namespace", stack.namespace)
    gone = f"namespace '{stack.namespace}' is gone, and its runs are lost: pulumi up --refresh makes it anew"
    for told in (stack.preview().ok(), stack.up().ok()):
        assert f"warning: {gone}" in told.text and "will run" not in told.text
    stack.up("--refresh").ok()
    assert stack.namespace in kubectl("get", "namespaces") and names(stack) == [], "made anew, and nothing runs again"
