"""Following a log of one GiB while it is written: `kf logs` and `pulumi up` beside `kubectl logs -f` and `tkn`."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import time
import uuid

from tests.processes import peak_of_provider

from . import peers
from .latency import HEAD as SMALL
from .measure import CHECKOUT, REPEATS, Stack, Table, medians, run, seconds

TITLE = "Following a log of 1 GiB"
MEBIBYTES = int(os.environ.get("BENCH_LOG_MIB", "1024"))
PAUSE = 8
HEAD = SMALL.replace('disk="64M"', 'disk="4G"')  # a log counts as disk
PRINT = f"sleep {PAUSE}; yes {'x' * 1023} | head -n {MEBIBYTES * 1024}"


def measure() -> Table:
    """Medians by turns; from the first byte to the end of the output, or from the end of the task's pause."""
    columns = ("what", "MB/s", "peak memory MiB", "MiB seen")
    note = f"As fast as the node takes it; medians of {REPEATS} by turns. Memory of pulumi: its provider's."
    table = Table(TITLE, columns, note)
    stack = Stack()
    try:
        stack.write(HEAD)
        stack.up()
        commands = {
            "`kubectl logs -f`": ["kubectl", "logs", "-f", "-n", stack.namespace, "-c", "step-task", "{run}-task-pod"],
            "`tkn pipelinerun logs -f`": [peers.tkn(), "pipelinerun", "logs", "-f", "-n", stack.namespace, "{run}"],
            "`kf logs`": ["kf", "logs", "--task", "--space", stack.namespace, "-n", "0", "--run", "{run}"],
        }
        measured: dict[str, list[tuple[float, float, float]]] = {name: [] for name in (*commands, "`pulumi up`")}
        for turn in range(REPEATS):
            for name, command in commands.items():
                measured[name].append(_read(_start(stack), command))
            measured["`pulumi up`"].append(_update(stack, turn))
    finally:
        stack.close()
    for name, figures in measured.items():
        table.rows.append((name, *(f"{figure:.0f}" for figure in medians(figures))))
    return table


def _start(stack: Stack) -> str:
    """Starts the task by hand; returns its run when its container runs."""
    name = f"long-{uuid.uuid4().hex[:6]}"
    step = {
        "name": "task", "image": f"{os.environ['SANDBOX_REGISTRY']}/busybox:1", "command": ["sh", "-c", PRINT],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
    }  # fmt: skip
    labels = {"app.kubernetes.io/name": "shop", "kf.dev/key": "0" * 16, "kf.dev/task": "long", "kf.dev/task-id": "1"}
    manifest = {
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
        "metadata": {"name": name, "namespace": stack.namespace, "labels": labels},
        "spec": {"pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [step]}}]}},
    }  # fmt: skip
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(manifest), text=True, check=True, stdout=-3)
    wait = ["kubectl", "wait", "-n", stack.namespace, f"pod/{name}-task-pod", "--timeout=60s"]
    run([*wait, "--for=create"])
    run([*wait, "--for=jsonpath={.status.phase}=Running"])
    return name


def _read(name: str, command: list[str]) -> tuple[float, float, float]:
    """MB/s, peak memory in MiB, and how many MiB of the log the command has shown."""
    filled = [part.format(run=name) for part in command]
    process = subprocess.Popen(filled, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=CHECKOUT)
    assert process.stdout
    begun, count = 0.0, 0
    while chunk := os.read(process.stdout.fileno(), 1 << 20):
        begun = begun or time.monotonic()
        count += len(chunk)
    taken = time.monotonic() - begun
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(filled)} ended with {status}")
    return count / 1e6 / taken, usage.ru_maxrss / 1024, count / (1 << 20)


def _update(stack: Stack, turn: int) -> tuple[float, float, float]:
    """Beside an update of a task with the same pause that prints nothing: what it takes longer is the log."""
    task = f"t = Task('t', app=app, command='{{}}  # {turn}')\npulumi.export('digest', t.log_digest)\n"
    stack.write(HEAD + task.format(f"sleep {PAUSE}"))
    without = seconds(stack.up)
    stack.write(HEAD + task.format(PRINT))
    begun = time.monotonic()
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    process = subprocess.Popen(command, cwd=stack.folder, env=stack.env, stdin=-3, stdout=-3)  # -3: DEVNULL
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, peak_of_provider(stack.folder))
        time.sleep(0.2)
    longer = time.monotonic() - begun - without
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    outputs = json.loads(run(["pulumi", "stack", "output", "--json"], cwd=stack.folder, env=stack.env))
    if outputs["digest"] != f"sha256:{_digest()}":
        raise RuntimeError(f"the update has not seen the whole log: its digest is {outputs['digest']}")
    return MEBIBYTES * (1 << 20) / 1e6 / longer, peak, MEBIBYTES


@functools.cache
def _digest() -> str:
    """Of what the task prints."""
    digest, block = hashlib.sha256(), b"x" * 1023 + b"\n"
    for _ in range(MEBIBYTES):
        digest.update(block * 1024)
    return digest.hexdigest()
