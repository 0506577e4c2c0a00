"""The newest `keep` runs of an App stay; what goes is named before it goes, and nothing else goes with it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from typing import Any

from .conftest import RUNS, Stack, kubectl, objects

KEEP_3 = "keep=3"


def _names(runs: list[dict[str, Any]]) -> set[str]:
    return {run["metadata"]["name"] for run in runs}


def test_preview_names_what_up_deletes(stack: Stack) -> None:
    for number in range(1, 4):
        stack.task(f"command='echo {number}'", KEEP_3).up().ok()
    foreign = {
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
        "metadata": {"name": "foreign", "namespace": stack.namespace,
                     "labels": {"app.kubernetes.io/name": "shop", "app.kubernetes.io/component": "task"}},
        "spec": {"pipelineSpec": {"tasks": [{"name": "t", "taskSpec": {"steps": [
            {"name": "s", "image": f"{stack.env['SANDBOX_REGISTRY']}/busybox:1", "command": ["true"]}]}}]}},
    }  # fmt: skip
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(foreign), text=True, check=True)
    other = "other = App('other', space=space, image=f'{R}/busybox:1')\nTask('job', app=other, command='echo other')\n"
    before = stack.runs()
    shown = stack.task("command='echo 4'", KEEP_3, after=other).preview().ok().text
    [line] = re.findall(r"will delete .*", shown.split("Diagnostics:")[1])
    doomed = before[0]["metadata"]["name"]
    assert line == f"will delete 1 of 4: {doomed} (beyond the newest 3)"
    stack.up().ok()
    assert _names(before) - _names(stack.runs()) == {doomed} and len(stack.runs()) == 3
    time.sleep(2)
    assert len(stack.pods()) == 3 + 1, "the pod goes with its run; the foreign one with the App's name stays"
    taskruns = objects("taskruns", stack.namespace, "app.kubernetes.io/name=shop,kf.dev/key")
    assert len(taskruns) == 3
    assert len(stack.runs("other")) == 1
    assert "foreign" in _names(objects(RUNS, stack.namespace, "app.kubernetes.io/name=shop"))
    assert "will delete" not in stack.preview().ok().text


def test_unfinished_runs_stay(stack: Stack) -> None:
    slow = "Task('slow', app=app, command='sleep 300', wait=False)\n"
    for number in range(1, 5):  # four finished ones, and keep is three
        stack.task(f"command='echo {number}'", KEEP_3, after=slow).up().ok()
    left = [run["metadata"]["labels"]["kf.dev/task"] for run in stack.runs()]
    assert sorted(left) == ["migrate", "migrate", "migrate", "slow"]


def test_failing_updates_and_kf_runs_keep_three(stack: Stack) -> None:
    for _ in range(4):
        stack.task("command='exit 1'", KEEP_3).up().failed()
    assert len(stack.runs()) == 3
    for _ in range(4):
        stack.kf("run-task", "shop", "--command", "true").ok()
        _wait_finished(stack)
    left = [run["status"]["conditions"][0]["status"] for run in stack.runs()]
    assert left == ["False", "True", "True", "True"], "the newest three, and the last failure"


def test_destroy_leaves_nothing_of_the_app(stack: Stack) -> None:
    kubectl("create", "namespace", stack.namespace)
    stack.write(
        "space = Space(NS, namespace=NS, memory='32M', disk='64M', cpu='10m')\n"
        "app = App('shop', space=space, image=f'{R}/busybox:1', env={'S': Output.secret('a-secret-value')})\n"
        "Task('migrate', app=app, command='echo hello')\n"
        "Task('slow', app=app, command='sleep 600', wait=False)\n"
    ).up().ok()
    stack.kf("run-task", "shop", "--command", "true").ok()
    shown = stack.pulumi("preview", "--color", "never").ok()
    assert "will run" not in shown.text
    stack.destroy().ok()
    assert stack.runs() == [] and objects("taskruns", stack.namespace) == [] and stack.pods() == []
    for kind in ("secrets", "configmaps", "serviceaccounts"):
        assert objects(kind, stack.namespace, "app.kubernetes.io/managed-by=kf") == [], kind
    kubectl("get", "namespace", stack.namespace)


def test_destroy_of_an_unreachable_cluster_fails_and_keeps_the_state(stack: Stack) -> None:
    stack.task().up().ok()
    cut_off(stack)
    before = len(stack.state()["deployment"]["resources"])
    failed = stack.destroy().failed()
    assert "the runs of app 'shop'" in failed.text and "PULUMI_K8S_DELETE_UNREACHABLE=true" in failed.text
    assert len(stack.state()["deployment"]["resources"]) == before
    reconnect(stack)
    stack.destroy().ok()


def cut_off(stack: Stack) -> None:
    """The same cluster, which cannot be reached any more: the proxy on the way does not answer."""
    stack.env.update(HTTPS_PROXY="http://127.0.0.1:1", NO_PROXY="127.0.0.1,localhost")


def reconnect(stack: Stack) -> None:
    """Takes the broken proxy away."""
    del stack.env["HTTPS_PROXY"]


def _wait_finished(stack: Stack) -> None:
    deadline = time.monotonic() + 240
    while any("completionTime" not in run.get("status", {}) for run in stack.runs()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
