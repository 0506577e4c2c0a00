"""Settings of Tekton that somebody else decides for the whole cluster: keep-pod-on-cancel and the default timeout."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .conftest import Stack, eventually, kubectl
from .test_lifecycle import error_of

pytestmark = pytest.mark.soak  # what they change, other tests rely on

COUNT = "n=0; while true; do n=$((n+1)); echo line $n; usleep 20000; done"


@contextmanager
def _setting(config_map: str, key: str, value: str) -> Iterator[None]:
    """Tekton's configuration with another value, as long as this lasts."""
    where = ("configmap", config_map, "-n", "tekton-pipelines")
    before = json.loads(kubectl("get", *where, "-o", "json")).get("data", {}).get(key)
    kubectl("patch", *where, "--type=merge", "-p", json.dumps({"data": {key: value}}))
    try:
        yield
    finally:
        kubectl("patch", *where, "--type=merge", "-p", json.dumps({"data": {key: before}}))


def _create(stack: Stack, *flags: str) -> dict[str, dict[str, object]]:
    """A TaskRun that leaves everything open which Tekton decides."""
    step = {"name": "s", "image": f"{stack.env['SANDBOX_REGISTRY']}/busybox:1", "command": ["true"]}
    body = {
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "metadata": {"generateName": "probe-", "namespace": stack.namespace},
        "spec": {"taskSpec": {"steps": [step]}},
    }  # fmt: skip
    command = ["kubectl", "create", "-o", "json", "-f", "-", *flags]
    made: dict[str, dict[str, object]] = json.loads(
        subprocess.run(command, input=json.dumps(body), text=True, check=True, capture_output=True).stdout
    )
    return made


def _keeps_pods(stack: Stack) -> bool:
    """Whether a pod that is made now can be told to end without being deleted."""
    name = _create(stack)["metadata"]["name"]
    eventually(lambda: kubectl("get", "pod", "-n", stack.namespace, f"{name}-pod", "--ignore-not-found"))
    return '"path":"cancel"' in kubectl("get", "pod", "-n", stack.namespace, f"{name}-pod", "-o", "json").replace(
        " ", ""
    )


def _kept(stack: Stack) -> bytes:
    """The log of the newest pod, which has ended and is still there."""
    pod = stack.pods()[-1]
    assert pod["status"]["phase"] == "Failed" and "deletionTimestamp" not in pod["metadata"]
    command = ["kubectl", "logs", "-n", stack.namespace, pod["metadata"]["name"], "-c", "step-task"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_pods_that_stay_when_their_task_is_cancelled_or_takes_too_long(stack: Stack) -> None:
    stack.task("command='true'").up().ok()
    with _setting("feature-flags", "keep-pod-on-cancel", "true"):
        eventually(lambda: _keeps_pods(stack), 60, "Tekton takes the setting")

        process = stack.task(f"command={COUNT!r}").start()
        assert process.stdout
        text = next(line for line in process.stdout if "line 100" in line)
        stack.kf("terminate-task", "shop", "2").ok()
        text += process.stdout.read()
        assert process.wait() != 0
        assert "was cancelled by kf terminate-task" in error_of(text)
        kept = _kept(stack).decode().splitlines()
        lines = [line for line in kept if "Step was cancel" not in line]  # so Tekton's entrypoint says in between
        assert lines == [f"line {number}" for number in range(1, len(lines) + 1)], kept[-9:]
        assert all(f"    {line}\n" in error_of(text) for line in kept[-5:]), "also the last line before the stop"
        shown = stack.kf("logs", "shop", "--task", "--id", "2", "--recent", "-n", "2").ok().text
        assert shown == "".join(f"migrate/2 {line}\n" for line in kept[-2:])

        stack.task(f"command={COUNT!r}, timeout='20s', must_succeed=False").up().ok()
        out, raw = stack.outputs(), _kept(stack)
        assert (out["state"], out["log_digest"]) == ("TimedOut", f"sha256:{hashlib.sha256(raw).hexdigest()}")
        last = raw.decode().splitlines()[-1]
        assert out["log"].endswith(f"{last}\n")
        assert f"migrate/3 {last}\n" in stack.kf("logs", "shop", "--task", "--recent").ok().text


def test_the_clusters_default_timeout_ends_no_task_that_has_another(stack: Stack) -> None:
    body = (
        "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
        "for name, limit in {'long': '5m', 'endless': '0', 'odd': '90s'}.items():\n"
        "    Task(name, app=app, command='sleep 75; echo done', timeout=limit)\n"
    )
    stack.task("command='true'").up().ok()
    with _setting("config-defaults", "default-timeout-minutes", "1"):
        eventually(lambda: _create(stack, "--dry-run=server")["spec"]["timeout"] == "1m0s", 60, "Tekton takes it")
        stack.write(body).up().ok()
        limits = {}
        for run in stack.runs():
            [task] = run["spec"]["pipelineSpec"]["tasks"]
            limits[run["metadata"]["labels"]["kf.dev/task"]] = (run["spec"]["timeouts"]["pipeline"], task["timeout"])
        del limits["migrate"]
        assert limits == {"long": ("5m0s", "0s"), "endless": ("0s", "0s"), "odd": ("1m30s", "0s")}
        stack.up("--expect-no-changes").ok()
