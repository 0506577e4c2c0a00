"""From the wish to run one command to its log: kubectl by hand beside `pulumi up` of a Task."""

from __future__ import annotations

import itertools
import json
import os
import subprocess

from .measure import Stack, Table, median, run

TITLE = "Latency of one task"
HEAD = """import os, pulumi
from kf_tasks import App, Space, Task
space = Space(os.environ["NAMESPACE"], memory="32M", disk="64M", cpu="10m")
app = App("shop", space=space, image=os.environ["SANDBOX_REGISTRY"] + "/busybox:1")
"""


def measure() -> Table:
    """Medians; the engine's own start-up is an update of the same stack in which nothing changes."""
    table = Table(TITLE, ("what", "seconds"), "One command, `echo`, in an image that the node has.")
    stack = Stack()
    numbers = itertools.count()
    try:
        stack.write(HEAD + "Task('t', app=app, command='echo 0')\n")
        stack.up()

        def task() -> None:
            stack.write(HEAD + f"Task('t', app=app, command='echo {next(numbers)} again')\n")
            stack.up()

        ours = median(task)
        nothing = median(stack.up)
        byhand = median(lambda: _by_hand(stack, next(numbers)))
    finally:
        stack.close()
    table.rows = [
        ("`kubectl create` + `kubectl wait` + `kubectl logs` of a PipelineRun", f"{byhand:.2f}"),
        ("`pulumi up --skip-preview` of a changed Task", f"{ours:.2f}"),
        ("`pulumi up --skip-preview` of the same stack, nothing changed", f"{nothing:.2f}"),
        ("our own share: Task − nothing changed − kubectl", f"{ours - nothing - byhand:.2f}"),
    ]
    return table


def _by_hand(stack: Stack, number: int) -> None:
    name = f"byhand-{number}"
    step = {
        "name": "task", "image": f"{os.environ['SANDBOX_REGISTRY']}/busybox:1", "command": ["echo", str(number)],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
    }  # fmt: skip
    manifest = {
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": name, "namespace": stack.namespace},
        "spec": {"pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [step]}}]}},
    }  # fmt: skip
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(manifest), text=True, check=True, stdout=-3)
    flags = ["-n", stack.namespace]
    run(["kubectl", "wait", *flags, f"pipelinerun/{name}", "--for=condition=Succeeded", "--timeout=60s"])
    run(["kubectl", "logs", *flags, "-l", f"tekton.dev/pipelineRun={name}", "-c", "step-task"])
