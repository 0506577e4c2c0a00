"""Hundreds of tasks at once, on nodes that do not exist: all are followed, also after a kill, and none starts twice."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import time

from kf_tasks.core import marks

from tests.processes import programs_of, providers_of

from .latency import HEAD
from .measure import Stack, Table, counted, run, seconds
from .nodes import SPACE, nodes
from .processes import KINDS, used_in

TITLE = "500 tasks in one update"
COUNTS = tuple(int(count) for count in os.environ.get("BENCH_TASKS", "50,500").split(","))
NODES = 20
QUIET = 3  # updates in which nothing changes
KILL = 0.5  # of all runs, which have begun when the update is killed
PROGRAM = HEAD.replace("cpu=", f"{SPACE}, keep=10000, cpu=")
# With a backend of files the engine writes its whole state after each step, which is all that would be measured.
STATE_AT_THE_END = {"PULUMI_SKIP_CHECKPOINTS": "true"}
NOTE = (
    f"As many at once as there are (`PULUMI_PARALLEL`), on {NODES} nodes of KWOK, whose pods run for five seconds: so "
    "ourselves, Tekton and the API server are measured. The engine writes its state once, at the end "
    "(`PULUMI_SKIP_CHECKPOINTS`, see [LIMITS.md](LIMITS.md)), so the update after the kill knows of no run. Once; the "
    f"update in which nothing changes is a median of {QUIET}."
)


def measure() -> Table:
    """A column for each number of tasks."""
    table = Table(TITLE, ("what", *(f"{count} tasks" for count in COUNTS)), NOTE)
    with nodes(NODES):
        columns = [_measure(count) for count in COUNTS]
    table.rows = [(what, *(column[what] for column in columns)) for what in columns[0]]
    return table


def _measure(count: int) -> dict[str, str]:
    stack = Stack()
    stack.env |= {"PULUMI_PARALLEL": str(max(COUNTS) + 50), **STATE_AT_THE_END}
    refused = _refused()
    try:
        stack.write(_program(0))
        stack.up()
        stack.write(_program(count))
        with used_in(stack.folder) as killed:
            before = seconds(lambda: _killed(stack, int(count * KILL)))
        begun = len(_listed(stack))
        with used_in(stack.folder) as following:
            after = seconds(lambda: _repeated(stack))
        listed, quiet = _listed(stack), []
        for _ in range(QUIET):
            with used_in(stack.folder) as unchanged:
                quiet.append(seconds(stack.up))
        nothing = statistics.median(quiet)
    finally:
        stack.close()
    succeeded = {one for one, status in listed if status == "True"}
    if len(succeeded) != count:
        raise RuntimeError(f"of {count} tasks {len(succeeded)} have succeeded")
    return {
        "seconds of an update that is killed when half of the runs have begun": f"{before:.0f}",
        "runs that it has begun": str(begun),
        "seconds of the next one, which adopts them, until all have succeeded": f"{after:.0f}",
        "runs that were started twice": str(len(listed) - len({one for one, _ in listed})),
        "requests of whomever that the API server's fairness has refused": str(_refused() - refused),
        "peak memory of the provider, MiB": f"{max(killed.mebibytes, following.mebibytes):.0f}",
        "threads of the provider at most": str(max(killed.threads, following.threads)),
        f"seconds of the processor of the second: {', '.join(KINDS)}": following.text(),
        "seconds of an update in which nothing changes": f"{nothing:.1f}",
        "of these for each task, ms": f"{1000 * nothing / count:.0f}",
        "seconds of the processor then": unchanged.text(),
    }


def _program(count: int) -> str:
    task = "Task(f't{n}', app=app, command=f'echo {n}', start_timeout='1h')"  # Tekton may need it
    return PROGRAM + f"for n in range({count}):\n    {task}\n"


def _listed(stack: Stack) -> list[tuple[str, str]]:
    """Of each run task with definition, and whether it has succeeded."""
    path = "{range .items[*]}{.metadata.labels.kf\\.dev/task} {.metadata.labels.kf\\.dev/key} "
    path += '{.status.conditions[0].status}{"\\n"}{end}'
    flags = ["-n", stack.namespace, "-l", marks.KEY, "-o", f"jsonpath={path}"]
    found = run(["kubectl", "get", "pipelineruns", *flags]).splitlines()
    return [(one, status) for one, _, status in (line.rpartition(" ") for line in found)]


def _refused() -> int:
    """How many requests the API server has answered with 429 so far, of all its clients."""
    return counted(r"apiserver_flowcontrol_rejected_requests_total\{[^}]*\}")


def _killed(stack: Stack, begun: int) -> None:
    """An update whose processes are all killed when so many runs have begun."""
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    process = subprocess.Popen(command, cwd=stack.folder, env=stack.env, stdin=-3, stdout=-3, stderr=-3)
    while len(_listed(stack)) < begun and process.poll() is None:
        time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for one in (*providers_of(stack.folder), *programs_of(stack.folder)):
        os.kill(one, signal.SIGKILL)


def _repeated(stack: Stack) -> None:
    """The next update, after what a kill leaves in the state."""
    run(["pulumi", "cancel", "--yes"], cwd=stack.folder, env=stack.env)
    state = json.loads(run(["pulumi", "stack", "export"], cwd=stack.folder, env=stack.env))
    state["deployment"].pop("pending_operations", None)
    path = stack.folder / "state.json"
    path.write_text(json.dumps(state))
    run(["pulumi", "stack", "import", "--file", str(path)], cwd=stack.folder, env=stack.env)
    stack.up()
