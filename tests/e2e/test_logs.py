"""Logs of every kind and size: followed without loss, shown without harm, and kept by the cluster's own collectors."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

import pytest

from .conftest import Stack, eventually, kubectl
from .test_lifecycle import error_of


def test_progress_bars_and_blank_lines(stack: Stack) -> None:
    bar = 'for i in $(seq 1 400); do printf "\\\\r%d %%" $i; usleep 2000; done; echo; echo; '
    bar += 'printf "crlf\\\\r\\\\n"; echo done'
    text = stack.task(f"command='{bar}'").up().ok().text
    assert stack.outputs()["log"] == "400 %\n\ncrlf\ndone\n"
    assert text.split("Diagnostics:")[1].split("Outputs:")[0].count("%") == 1, (
        "states of the bar are no lines of the record"
    )


def test_long_output_is_bounded_on_the_terminal_and_whole_in_the_count(stack: Stack) -> None:
    body = "command='seq 1 3000; head -c 5242880 /dev/zero | tr \"\\\\0\" x; echo; echo last'"
    text = stack.task(body, after="pulumi.export('lines', migrate.log_digest)").up().ok().text
    shown = text.split("Diagnostics:")[1]
    assert "    500\n" in shown and "    501\n" not in shown and "    last\n" in shown
    assert "lines are not shown here; all of them: kf logs" in shown
    assert "[a line of 5242880 characters]" in shown
    pod = stack.pods()[0]["metadata"]["name"]
    raw = subprocess.run(
        ["kubectl", "logs", "-n", stack.namespace, pod, "-c", "step-task"], capture_output=True, check=True
    )
    import hashlib

    assert stack.outputs()["log_digest"] == f"sha256:{hashlib.sha256(raw.stdout).hexdigest()}"


def test_secret_across_the_pieces_that_the_node_stores_a_line_in(stack: Stack) -> None:
    command = "".join(
        f'head -c {size} /dev/zero | tr "\\\\0" {letter}; echo "$PASSWORD"; '
        for size, letter in ((16376, "x"), (4090, "y"))
    )
    text = stack.task(f"command={command!r}, env={{'PASSWORD': Output.secret('correct horse battery')}}").up().ok().text
    raw = kubectl("logs", "-n", stack.namespace, stack.pods()[0]["metadata"]["name"], "-c", "step-task")
    assert [len(line) for line in raw.splitlines()] == [16376 + 21, 4090 + 21], "the task itself has it"
    first, second = stack.outputs()["log"].splitlines()
    assert first == "x" * 4096 + "… [a line of 16397 characters]"
    assert second == "y" * 4090 + "[secret]… [a line of 4111 characters]"
    assert not [part for part in ("correct", "horse", "battery") if part in text + json.dumps(stack.state())]


def test_log_modes(stack: Stack) -> None:
    stack.task("command='seq 1 100', log='tail'")
    shown = stack.up().ok().text.split("Diagnostics:")[1]
    assert "    51\n" in shown and "    50\n" not in shown and "50 lines are not shown" in shown
    stack.task("command='echo qu$(echo iet); exit 3', log='none', must_succeed=False")
    text = stack.up().ok().text
    assert "quiet" not in text.split("Diagnostics:")[1].split("Outputs:")[0]
    assert "quiet" not in json.dumps(stack.state()["deployment"]["resources"][1:])


def test_forty_tasks_four_of_them_failing(stack: Stack) -> None:
    stack.env["PULUMI_PARALLEL"] = "48"
    body = (
        "app = App('shop', space=space, image=f'{R}/busybox:1', memory='16M', cpu='10m')\n"
        "for n in range(40):\n"
        "    Task(f't{n}', app=app, command=f'echo word{n}; exit {1 if n % 10 == 3 else 0}')\n"
    )
    text = stack.write(body).up("--continue-on-error").failed().text
    diagnostics = text.split("Diagnostics:")[1]
    for number in (3, 13, 23, 33):
        [block] = [b for b in diagnostics.split("\n\n") if f"kf:Run (shop-t{number})" in b and "error:" in b]
        assert f"task 't{number}' of app 'shop' failed: exit code 1" in block and f"    word{number}" in block
    recorded = [r for r in stack.state()["deployment"]["resources"] if r["type"].endswith("kf:Run")]
    assert len(recorded) == 36 and all(r["outputs"]["state"] == "Succeeded" for r in recorded)
    assert error_of(text)


def test_cluster_level_collectors_have_every_line(stack: Stack) -> None:
    stack.task("command='true'").up().ok()
    collector = {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "collector", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "collector"}}, "template": {
            "metadata": {"labels": {"app": "collector"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [{
                "name": "tail", "image": f"{stack.env['SANDBOX_REGISTRY']}/busybox:1",
                "command": ["sh", "-c", COLLECT],
                "volumeMounts": [{"name": "log", "mountPath": "/var/log", "readOnly": True},
                                 {"name": "pods", "mountPath": LOGS, "readOnly": True}]}],
                "volumes": [{"name": "log", "hostPath": {"path": "/var/log"}},
                            {"name": "pods", "hostPath": {"path": LOGS}}]}}},
    }  # fmt: skip
    subprocess.run(["kubectl", "apply", "-f", "-"], input=json.dumps(collector), text=True, check=True)
    kubectl("rollout", "status", "-n", "default", "daemonset/collector", "--timeout=60s")
    try:
        stack.task("command='echo finished-line'").up().ok()
        stack.task("command='echo failed-line; exit 1'").up().failed()
        stack.task("command='echo stopped-line; sleep 100', wait=False").up().ok()
        names = [pod["metadata"]["name"] for pod in stack.pods()]
        labels = {p["metadata"]["name"]: p["metadata"]["labels"] for p in stack.pods()}
        eventually(lambda: "stopped-line" in _kept(names[-1]))
        stack.kf("terminate-task", "shop", "4").ok()
        eventually(lambda: names[-1] not in [pod["metadata"]["name"] for pod in stack.pods()])
        for name, line in zip(names[1:], ("finished-line", "failed-line", "stopped-line"), strict=True):
            assert line in _kept(name), "also after the pod is gone"
            assert labels[name]["app.kubernetes.io/name"] == "shop" and labels[name]["kf.dev/task"] == "migrate"
    finally:
        kubectl("delete", "daemonset", "-n", "default", "collector")


COLLECT = """mkdir /tmp/kept
while true; do
    for f in /var/log/containers/*_step-task-*.log; do cp "$f" /tmp/kept/ 2>/dev/null; done
    usleep 200000
done"""
LOGS = "/var/lib/kf-sandbox"


def _kept(pod: str) -> str:
    collector = kubectl(
        "get", "pods", "-n", "default", "-l", "app=collector", "-o", "jsonpath={.items[0].metadata.name}"
    )
    script = f"cat /tmp/kept/{pod}_*.log 2>/dev/null || true"
    return kubectl("exec", "-n", "default", collector, "--", "sh", "-c", script)


@pytest.mark.soak
def test_ten_quiet_minutes(stack: Stack) -> None:
    stack.task("command='echo begun; sleep 600; echo done', timeout='20m'").up(timeout=800).ok()
    late = datetime.now(UTC) - datetime.fromisoformat(stack.outputs()["finished_at"].replace("Z", "+00:00"))
    assert late.total_seconds() < 20, late
    assert stack.outputs()["log"] == "begun\ndone\n" and stack.outputs()["duration"] >= 600
