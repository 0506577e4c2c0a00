"""From the wish to run one command to its log, in parts, too: kubectl by hand beside `pulumi up` of a Task."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable

from .measure import REPEATS, Stack, Table, median, medians, run

TITLE = "Latency of one task"
PARTS = (
    "start until the PipelineRun is there",
    "until its pod is there (Tekton)",
    "until its command runs (scheduler, kubelet, containerd, Tekton's own containers)",
    "until the command's first line is shown",
)
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
        whole = [_parts(stack, _begin, next(numbers)) for _ in range(REPEATS)]
        hands = [_parts(stack, _begin_by_hand, next(numbers)) for _ in range(REPEATS)]
    finally:
        stack.close()
    table.rows = [
        ("`kubectl create` + `kubectl wait` + `kubectl logs` of a PipelineRun", f"{byhand:.2f}"),
        ("`pulumi up --skip-preview` of a changed Task", f"{ours:.2f}"),
        ("`pulumi up --skip-preview` of the same stack, nothing changed", f"{nothing:.2f}"),
        ("our own share: Task − nothing changed − kubectl", f"{ours - nothing - byhand:.2f}"),
    ]
    parts = zip(PARTS, medians(whole), medians(hands), strict=True)
    table.rows += [(f"{part}: `pulumi up`, `kubectl create`", f"{one:.2f}, {other:.2f}") for part, one, other in parts]
    return table


class _Watch:
    """When each object was first seen, and first seen running, by a watch that is open before."""

    def __init__(self, stack: Stack, kind: str) -> None:
        self.first: dict[str, float] = {}
        self.running: dict[str, float] = {}
        columns = "custom-columns=N:.metadata.name,S:.status.containerStatuses[*].state"
        command = ["kubectl", "get", kind, "-n", stack.namespace, "-w", "--no-headers", "-o", columns]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            name, _, state = line.partition(" ")
            self.first.setdefault(name, time.monotonic())
            if "running" in state:
                self.running.setdefault(name, time.monotonic())


def _command(number: int) -> str:
    return f"echo number $(({number})) is at work; sleep 2"  # what is printed stands nowhere in the command


def _parts(stack: Stack, begin: Callable[[Stack, int], subprocess.Popen[str]], number: int) -> tuple[float, ...]:
    """The seconds of each of PARTS of a run that `begin` starts; its process prints the command's first line."""
    runs, pods = _Watch(stack, "pipelineruns"), _Watch(stack, "pods")
    try:
        time.sleep(3)  # what is there already is seen
        before = {*runs.first, *pods.first}
        began = time.monotonic()
        process = begin(stack, number)
        shown = next(time.monotonic() for line in process.stdout or () if f"number {number} is at work" in line)
        process.communicate()
        [run_seen] = [at for name, at in runs.first.items() if name not in before]
        [pod] = [name for name in pods.first if name not in before]
        moments = (began, run_seen, pods.first[pod], pods.running[pod], shown)
        return tuple(after - earlier for earlier, after in itertools.pairwise(moments))
    finally:
        for watch in (runs, pods):
            watch.process.kill()
            watch.process.wait()


def _begin(stack: Stack, number: int) -> subprocess.Popen[str]:
    stack.write(HEAD + f"Task('t', app=app, command={_command(number)!r})\n")
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    return subprocess.Popen(command, cwd=stack.folder, env=stack.env, stdout=subprocess.PIPE, text=True)


def _begin_by_hand(stack: Stack, number: int) -> subprocess.Popen[str]:
    """As somebody does it who knows what to wait for: the log, as soon as there is a pod that has begun."""
    name = f"byhand-{number}"
    _create(stack, name, ["sh", "-c", _command(number)])
    script = (
        f"until kubectl logs -f -n {stack.namespace} -l tekton.dev/pipelineRun={name} -c step-task 2>/dev/null"
        " | grep .; do sleep 0.2; done"
    )
    return subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)


def _by_hand(stack: Stack, number: int) -> None:
    name = f"byhand-{number}"
    _create(stack, name, ["echo", str(number)])
    flags = ["-n", stack.namespace]
    run(["kubectl", "wait", *flags, f"pipelinerun/{name}", "--for=condition=Succeeded", "--timeout=60s"])
    run(["kubectl", "logs", *flags, "-l", f"tekton.dev/pipelineRun={name}", "-c", "step-task"])


def _create(stack: Stack, name: str, command: list[str]) -> None:
    step = {
        "name": "task", "image": f"{os.environ['SANDBOX_REGISTRY']}/busybox:1", "command": command,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
    }  # fmt: skip
    manifest = {
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": name, "namespace": stack.namespace},
        "spec": {"pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [step]}}]}},
    }  # fmt: skip
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(manifest), text=True, check=True, stdout=-3)
