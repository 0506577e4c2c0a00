"""An update that is held to what was approved, on the real engine: what goes through, and what each difference does."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from kf_tasks.core.approval import Approval

from .conftest import CHECKOUT, Result, Stack, run


def approve(stack: Stack, file: Path, *arguments: str) -> Result:
    return run([str(CHECKOUT / "kf"), "review", "--approve", str(file), *arguments], stack.folder, stack.env)


def runs(stack: Stack) -> list[str]:
    return [one["metadata"]["name"] for one in stack.runs()]


def test_what_is_approved_goes_through_and_nothing_else(stack: Stack, tmp_path: Path) -> None:
    file, keep = tmp_path / "approved.json", "keep=1"
    shown = approve(stack.task("command='echo 1'", keep), file).ok().text
    assert "1 task will run" in shown and json.loads(file.read_text())["complete"]
    stack.env["KF_APPROVED"] = str(file)

    # Another command than the approved one, before anything is made.
    refused = stack.task("command='echo other'", keep).up().failed().text
    assert "task 'migrate' of app 'shop' will run by another definition than the approved one" in refused
    assert "review it anew with kf review --approve FILE" in refused
    program = stack.task("command='echo 1'", keep).folder / "__main__.py"
    program.write_text(program.read_text().replace("/busybox:1", "/python:3"))  # another image
    assert "by another definition than the approved one: first run" in stack.preview().failed().text
    stack.task("command='echo 1'", keep).up().ok()
    [first] = runs(stack)

    # A run that somebody starts meanwhile: retention would let another one go than was approved.
    del stack.env["KF_APPROVED"]
    approve(stack.task("command='echo 2'", keep), file).ok()
    stack.env["KF_APPROVED"] = "approved.json"  # from the project's folder
    (stack.folder / "approved.json").write_text(file.read_text())
    stack.kf("run-task", "shop", "--command", "echo by hand", "--wait").ok()
    refused = stack.preview().failed().text
    assert "app 'shop': retention would delete what is not approved: shop-" in refused, refused
    for one in stack.runs():
        stack.kf("pin", "shop", one["metadata"]["labels"]["kf.dev/task-id"]).ok()
    stack.preview().ok()  # a pin is no reason

    # An edited file, an expired one that the configuration names, and an App that is removed with its runs.
    edited = file.read_text().replace("shop", "blog", 1)
    (stack.folder / "approved.json").write_text(edited)
    assert "was edited after kf review wrote it" in stack.preview().failed().text
    del stack.env["KF_APPROVED"]
    stack.pulumi("config", "set", "kf:approved", "approved.json").ok()
    found = Approval.read(file.read_text(), "approval")
    (stack.folder / "approved.json").write_text(replace(found, expires_at="2026-01-01T00:00:00Z").text())
    assert re.search(r"was approved until 2026-01-01T00:00:00Z, and it is \S+Z", stack.preview().failed().text)
    stack.env["KF_APPROVED"] = str(file)
    refused = stack.write("pulumi.export('nothing', 1)").up().failed().text
    assert (
        "app 'shop' in namespace" in refused and "would be removed with all its runs, which is not approved" in refused
    )
    assert first in runs(stack)

    # A run that failed in between, where exactly that work was approved, and the approval of another stack.
    del stack.env["KF_APPROVED"]
    stack.pulumi("config", "rm", "kf:approved").ok()
    approve(stack.task("command='exit 3'", keep), file).ok()
    stack.env["KF_APPROVED"] = str(file)
    assert "exit code 3" in stack.up().failed().text
    refused = stack.preview().failed().text
    assert re.search(r"will run, but run shop-migrate-\S+, which has failed, appeared since that was approved", refused)
    of_this = Approval.read(file.read_text(), "approval")
    file.write_text(replace(of_this, stack="e2e.prod").text())
    refused = stack.up().failed().text
    assert "approves an update of stack 'e2e.prod', and this is 'e2e.dev'" in refused and "created" not in refused
