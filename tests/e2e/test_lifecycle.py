"""The life of a task from the first update to the last: when it runs, when it does not, and what is recorded."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from kf_tasks.core.run.environment import short_digest

from .conftest import RUNS, Stack, changes, eventually, kubectl
from .languages import NOT_BUILT, InYaml, host

WAITING = "command='echo ready; until [ -e /tmp/go ]; do sleep 0.2; done; echo done; sleep 0.3; echo problem >&2'"


@pytest.fixture(params=["python", "yaml"])
def either(request: pytest.FixtureRequest, stacks: Callable[..., Stack]) -> Stack:
    """A stack whose common program is in one language or the other, and so behind one adapter or the other."""
    if request.param == "python":
        return stacks()
    if not host("yaml"):
        pytest.skip(NOT_BUILT)
    return stacks(kind=InYaml)


def test_first_up_follows_the_log_while_the_task_runs(either: Stack) -> None:
    stack = either
    process = stack.task(WAITING).start()
    assert process.stdout
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "ready" in line:
            break
    assert "kf:index:Task shop-migrate" in seen[-1], "the log stands under the task's resource"
    pod = stack.pods()[0]["metadata"]["name"]
    kubectl("exec", "-n", stack.namespace, pod, "-c", "step-task", "--", "touch", "/tmp/go")
    rest = process.stdout.read()
    assert process.wait() == 0, rest
    out = stack.outputs()
    raw = subprocess.run(
        ["kubectl", "logs", "-n", stack.namespace, pod, "-c", "step-task"], capture_output=True, check=True
    ).stdout
    assert out["log"] == raw.decode() == "ready\ndone\nproblem\n"
    assert out["log_digest"] == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    status = stack.runs()[0]["status"]
    assert (out["started_at"], out["reason"]) == (status["startTime"], "Succeeded")
    assert (out["exit_code"], out["state"], out["task_id"]) == (0, "Succeeded", 1)
    assert out["run"] == stack.runs()[0]["metadata"]["name"]
    kept = stack.kf("logs", "shop", "--task", "--recent").ok().text
    assert "migrate/1 ready" in kept and "migrate/1 problem" in kept, "STDOUT and STDERR after the end"


def test_nothing_changed_runs_nothing(stack: Stack) -> None:
    stack.task().up().ok()
    assert "~" not in changes(stack.up().ok()) and len(stack.runs()) == 1
    stack.refresh().ok()
    second = stack.preview().ok()
    assert "will run" not in second.text and "may run" not in second.text
    again = stack.up("--expect-no-changes").ok()
    assert "~" not in changes(again) and len(stack.runs()) == 1
    whole = kubectl("get", RUNS, "-n", stack.namespace, "-o", "json", "--show-managed-fields")
    assert "managedFields" not in json.loads(whole)["items"][0]["metadata"], "a finished run says only what it was"


def test_each_part_of_the_definition_runs_it_again(stack: Stack) -> None:
    """Three tasks, each edited on its own, twice; what is as it was does not run."""
    edits: list[dict[str, tuple[str, str]]] = [
        {
            "worded": ("command='echo two'", "command changed: echo one → echo two"),
            "set": ("command='echo one', env={'A': 'x'}", "env changed: +A x"),
            "triggered": ("command='echo one', triggers=[1]", "triggers changed: [] → [1]"),
        },
        {
            "worded": ("command='echo one'", "command changed: echo two → echo one"),
            "set": ("command='echo one', env={'A': 'y'}", "env changed: A x → y"),
        },
    ]
    arguments = dict.fromkeys(edits[0], "command='echo one'")
    runs = dict.fromkeys(arguments, 1)

    def program() -> Stack:
        tasks = "".join(f"Task({name!r}, app=app, {given})\n" for name, given in arguments.items())
        return stack.write("app = App('shop', space=space, image=f'{R}/busybox:1')\n" + tasks)

    program().up().ok()
    for edit in edits:
        for name, (given, _) in edit.items():
            arguments[name] = given
            runs[name] += 1
        shown = program().preview().ok().text
        for _, because in edit.values():
            assert f"will run: {because}" in shown
        assert "to replace" not in shown and "retain" not in shown
        stack.up().ok()
        tasks = [run["metadata"]["labels"]["kf.dev/task"] for run in stack.runs()]
        assert {name: tasks.count(name) for name in runs} == runs, "exactly one new run, the old ones kept"
    ids = [int(run["metadata"]["labels"]["kf.dev/task-id"]) for run in stack.runs()]
    assert sorted(ids) == list(range(1, 9))


def test_everything_else_changes_only_the_template(stack: Stack) -> None:
    consumer = "pulumi.export('copy', k8s.core.v1.ConfigMap('copy', metadata={'name': 'copy', 'namespace': space.namespace}, data={'log': migrate.log}, opts=ResourceOptions(provider=space.provider)).id)"  # noqa: E501
    stack.task(app="env={'S': Output.secret('first-secret')}", after=consumer).up().ok()
    changed = "env={'S': Output.secret('second-secret'), 'B': '1'}, labels={'team': 'a'}"
    shown = stack.task("timeout='30m', memory='48M', command='echo hello'", changed, consumer).preview().ok().text
    quietly = " ".join(line for line in shown.splitlines() if line.endswith(": nothing runs"))
    for change in ("timeout 1h → 30m", "memory 32Mi → 48Mi", "B none → 1 (App)", "S changed", "label team none → a"):
        assert change in quietly, shown
    assert "ConfigMap shop-migrate update" in shown and "Secret kf-shop.env update" in shown
    for quiet in ("kf:Run", "ConfigMap copy", "will run", "may run", "replace"):
        assert quiet not in shown, f"{quiet}: {shown}"
    assert "S changed" in stack.up().ok().text
    assert short_digest("second-secret") not in json.dumps(stack.state())
    assert "S changed" not in stack.preview().ok().text
    assert len(stack.runs()) == 1
    stack.task("timeout='30m', memory='48M', command='echo $S | wc -c; echo $B'", changed, consumer)
    diff = stack.preview("--diff").ok().text
    of_run = diff.partition("~ pulumi-python:dynamic/kf:Run: (update)")[2].partition("(update)")[0]
    assert '~ [2]: "echo hello" => "echo $S | wc -c; echo $B"' in of_run and "~ manifest (hidden)" in of_run
    assert len(of_run.splitlines()) < 60, "what is the same in structures that differ, and no whole PipelineRun"
    stack.up().ok()
    assert stack.outputs()["log"] == "14\n1\n", "the next run uses the new values"
    step = stack.runs()[-1]["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert step["computeResources"]["limits"]["memory"] == "48Mi"
    assert stack.pods()[-1]["metadata"]["labels"]["team"] == "a"


def test_asking_for_another_run_makes_exactly_one(stack: Stack) -> None:
    stack.task().up().ok()
    urn = stack.urn("pulumi-python:dynamic/kf:Run", "shop-migrate")
    stack.up("--replace", urn).ok()
    assert len(stack.runs()) == 2
    stack.pulumi("state", "taint", urn, "--yes").ok()
    stack.up().ok()
    assert len(stack.runs()) == 3
    stack.write("app = App('shop', space=space, image=f'{R}/busybox:1')").up().ok()
    assert len(stack.runs()) == 3, "the history stays when a task is removed"
    shown = stack.task().preview().ok()
    assert "will run: the state has no record of it" in shown.text
    stack.up().ok()
    assert len(stack.runs()) == 4
    assert "--" not in changes(stack.up("--expect-no-changes").ok()) and len(stack.runs()) == 4


def test_failure_fails_the_update_and_is_tried_again(stack: Stack, message: Callable[[str, str], None]) -> None:
    gated = "k8s.core.v1.ConfigMap('after', metadata={'name': 'after', 'namespace': space.namespace}, opts=ResourceOptions(provider=space.provider, depends_on=[migrate]))"  # noqa: E501
    script = "command='echo half; exit 3'"
    first = stack.task(script, after=gated).up().failed()
    name = stack.runs()[0]["metadata"]["name"]
    assert "kf:Run (shop-migrate)" in first.text.split("Diagnostics:")[1]
    for part in ("task 'migrate' of app 'shop' failed: exit code 3", name, "    half", f"--run {name}"):
        assert part in first.text
    message("a task fails", error_of(first.text))
    names = {item["metadata"]["name"] for item in _objects(stack, "configmaps")}
    assert "after" not in names, "what depends on it is not touched"
    shown = stack.preview().ok()
    assert f"will run: the last attempt failed: run {name}, exit code 3" in shown.text
    stack.up().failed()
    assert len(stack.runs()) == 2, "each update tries it once more, the first run stays"
    stack.task("command='[ -n \"$FIXED\" ] || exit 3'", "env={'FIXED': 'yes'}", gated).up().ok()
    assert "after" in {item["metadata"]["name"] for item in _objects(stack, "configmaps")}
    assert "~" not in changes(stack.up("--expect-no-changes").ok()) and len(stack.runs()) == 3


def test_when_trigger_and_always(stack: Stack) -> None:
    tasks = (
        "app = App('shop', space=space, image=f'{{R}}/busybox:1')\n"
        "Task('eager', app=app, command='echo 1', {eager})\n"
        "cool = Task('cool', app=app, command='echo {said}', when='trigger', triggers=[{trigger!r}])\n"
        "pulumi.export('log', cool.log)\n"
    )
    always, switched = "when='always'", "when='trigger', triggers=['v1']"

    def counts() -> tuple[int, int]:
        tasks = [run["metadata"]["labels"]["kf.dev/task"] for run in stack.runs()]
        return tasks.count("eager"), tasks.count("cool")

    stack.write(tasks.format(eager=always, said=1, trigger="v1")).up().ok()
    shown = stack.write(tasks.format(eager=always, said=2, trigger="v1")).preview().ok()
    assert shown.text.split("Diagnostics:")[1].count("will run: ") == 1 and "will run: when is 'always'" in shown.text
    stack.up().ok()
    assert counts() == (2, 1), "only triggers decide"
    shown = stack.write(tasks.format(eager=switched, said=2, trigger="v2")).preview().ok()
    assert "will run: triggers changed: ['v1'] → ['v2']" in shown.text
    stack.up().ok()
    assert counts() == (3, 2) and stack.outputs()["log"] == "2\n"


def test_not_waiting_completes_the_record_later(either: Stack) -> None:
    stack = either
    stack.task("command='sleep 3; echo later', wait=False").up().ok()
    assert stack.outputs()["state"] == "Running"
    eventually(lambda: stack.runs()[0].get("status", {}).get("completionTime"))
    stack.refresh().ok()
    stack.up("--expect-no-changes").ok()
    out = stack.outputs()
    assert (out["state"], out["exit_code"], out["log"]) == ("Succeeded", 0, "later\n")
    assert len(stack.runs()) == 1


def test_failure_that_was_not_waited_for_is_reported_and_tried_again(stack: Stack) -> None:
    stack.task("command='exit 4', wait=False").up().ok()
    eventually(lambda: stack.runs()[0].get("status", {}).get("completionTime"))
    assert "failed: exit code 4" in error_of(stack.up().failed().text)
    assert len(stack.runs()) == 1, "the failure is reported once before it is tried again"
    assert "will run: the last attempt failed" in stack.preview().ok().text
    stack.up().ok()
    assert len(stack.runs()) == 2


def test_what_has_run_stays_recorded_and_is_not_started_again(stack: Stack) -> None:
    """One that has succeeded, one that may fail, and one whose end nobody waits for; also when their runs are gone."""
    stack.write(
        "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
        "done = Task('done', app=app, command='echo hello')\n"
        "fails = Task('fails', app=app, command='exit 3', must_succeed=False)\n"
        "slow = Task('slow', app=app, command='sleep 600', wait=False)\n"
        "pulumi.export('log', done.log)\n"
        "pulumi.export('failed', [fails.state, fails.exit_code, fails.reason])\n"
        "pulumi.export('slow', slow.state)\n"
    ).up().ok()
    assert stack.outputs() == {"log": "hello\n", "failed": ["Failed", 3, "StepFailed"], "slow": "Running"}
    again = stack.up().ok().text
    assert "Run shop-done" not in again and "Run shop-fails" not in again and len(stack.runs()) == 3
    kubectl("delete", RUNS, "-n", stack.namespace, "--all")
    stack.refresh().ok()
    stack.up("--expect-no-changes").ok()
    assert stack.runs() == []
    assert stack.outputs() == {"log": "hello\n", "failed": ["Failed", 3, "StepFailed"], "slow": "Unknown"}


def test_an_app_is_described_and_not_started(stack: Stack) -> None:
    stack.write("app = App('shop', space=space, image=f'{R}/busybox:1', command='sleep 100')").up().ok()
    for kind in ("deployments", "pods", "services", "ingresses", "statefulsets", "replicasets", "jobs"):
        assert _objects(stack, kind) == [], kind


def error_of(text: str) -> str:
    """The first error in the diagnostics, one under a resource of ours if there is one."""
    blocks = [block for block in text.split("Diagnostics:")[-1].split("\n\n") if "\n    error:" in block]
    ours = [block for block in blocks if "kf:" in block.strip().splitlines()[0]]
    return (ours or blocks)[0].split("\n    error:")[1].strip()


def _objects(stack: Stack, kind: str) -> list[dict[str, Any]]:
    from .conftest import objects

    return objects(kind, stack.namespace)
