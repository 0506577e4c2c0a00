"""What following a task costs the API server: `pulumi up` beside `kubectl wait` with `kubectl logs -f`, and `tkn`."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.processes import provider_of

from . import peers, wire
from .latency import HEAD
from .measure import Stack, Table, run

TITLE = "Requests for a task"
TASKS = 5
LENGTHS = (10, 60)
ALONE = "nobody follows: what Tekton and the kubelet ask"
NOTE = (
    f"{TASKS} tasks at once, of {' and '.join(map(str, LENGTHS))} seconds, and by the API server's own counters "
    "(`apiserver_request_total` of the kinds that they are made of). Those of tasks that nobody follows are taken off, "
    "and of `pulumi up` those of one in which nothing changes."
)


def measure() -> Table:
    """Requests for each task; once, since they are counted and not timed."""
    columns = ("what", *(f"of {length} s" for length in LENGTHS), f"threads at {TASKS} tasks")
    table = Table(TITLE, columns, NOTE)
    stack, tkn, numbers = Stack(), peers.tkn(), itertools.count()
    try:
        stack.write(HEAD)
        stack.up()
        ways: dict[str, Callable[[list[str]], None]] = {
            ALONE: lambda names: None,
            "`kubectl wait` + `kubectl logs -f`": lambda names: _each(names, lambda name: _kubectl(stack, name)),
            "`tkn pipelinerun logs -f`": lambda names: _each(
                names, lambda name: run([tkn, "pipelinerun", "logs", "-f", "-n", stack.namespace, name])
            ),
        }
        found = {way: [_by_hand(stack, length, numbers, follow) for length in LENGTHS] for way, follow in ways.items()}
        updates = [_update(stack, length) for length in LENGTHS]
    finally:
        stack.close()
    alone = found.pop(ALONE)
    rows = {way: [count - less for count, less in zip(counts, alone)] for way, counts in found.items()}
    table.rows = [(ALONE, *_of_task(alone), "")]
    table.rows += [(way, *_of_task(counts), "") for way, counts in rows.items()]
    ours = _of_task([count - less for (count, _), less in zip(updates, alone)])
    table.rows.append(("`pulumi up`", *ours, str(max(threads for _, threads in updates))))
    return table


def _of_task(counts: list[int]) -> list[str]:
    return [f"{count / TASKS:.1f}" for count in counts]


def _by_hand(stack: Stack, length: int, numbers: itertools.count[int], follow: Callable[[list[str]], None]) -> int:
    """How many requests it takes to make such tasks by hand and to follow them in one way."""
    before = wire.all_requests()
    names = [f"byhand-{next(numbers)}" for _ in range(TASKS)]
    for name in names:
        _create(stack, name, length)
    follow(names)
    while True:
        time.sleep(5)
        flags = ["-n", stack.namespace, "-o", "jsonpath={.items[*].status.completionTime}"]
        if len(run(["kubectl", "get", "pipelineruns", *flags]).split()) >= _made(names):
            break
    time.sleep(2)  # the last words of Tekton and the kubelet
    return wire.all_requests() - before


def _made(names: list[str]) -> int:
    return int(names[-1].rpartition("-")[2]) + 1


def _create(stack: Stack, name: str, length: int) -> None:
    step = {
        "name": "task", "image": f"{os.environ['SANDBOX_REGISTRY']}/busybox:1", "command": ["sleep", str(length)],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
    }  # fmt: skip
    manifest = {
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": name, "namespace": stack.namespace},
        "spec": {"pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [step]}}]}},
    }  # fmt: skip
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(manifest), text=True, check=True, stdout=-3)


def _each(names: list[str], follow: Callable[[str], object]) -> None:
    threads = [threading.Thread(target=follow, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _kubectl(stack: Stack, name: str) -> None:
    flags, pod = ["-n", stack.namespace, "--timeout=120s"], f"pod/{name}-task-pod"
    run(["kubectl", "wait", *flags, pod, "--for=create"])
    run(["kubectl", "wait", *flags, pod, "--for=jsonpath={.status.phase}=Running"])
    run(["kubectl", "logs", "-f", "-n", stack.namespace, pod, "-c", "step-task"])
    run(["kubectl", "wait", *flags, f"pipelinerun/{name}", "--for=condition=Succeeded"])


def _update(stack: Stack, length: int) -> tuple[int, int]:
    """How many requests an update of such tasks takes, and how many threads its provider has at most."""
    program = HEAD + f"for n in range({TASKS}):\n    Task(f't{{n}}', app=app, command=f'sleep {length}; echo {{n}}')\n"
    counts, threads = [], 0
    for text in (program.replace("sleep", "true"), program.replace("sleep", "true"), program):
        stack.write(text)
        before = wire.all_requests()
        process = threading.Thread(target=stack.up)
        process.start()
        while process.is_alive():
            threads = max(threads, threads_of(provider_of(stack.folder)))
            time.sleep(0.5)
        counts.append(wire.all_requests() - before)
    return counts[2] - counts[1], threads


def threads_of(process: int | None) -> int:
    """How many threads a process has, 0 for none."""
    try:
        return int(Path(f"/proc/{process}/status").read_text().split("Threads:")[1].split()[0])
    except (OSError, IndexError):
        return 0
