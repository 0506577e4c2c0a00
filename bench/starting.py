"""How quickly `kf` answers: its help, and a list of tasks beside kubectl's list of the same PipelineRuns."""

from __future__ import annotations

import statistics

from . import runs
from .measure import CHECKOUT, Stack, Table, run, seconds

TITLE = "Start of kf"
RUNS, REPEATS = 20, 11


def measure() -> Table:
    """Medians by turns of three commands, start of the process included."""
    table = Table(TITLE, ("what", "seconds"), f"A namespace with {RUNS} runs; medians of {REPEATS} by turns.")
    stack = Stack()
    kf = str(CHECKOUT / ".venv/bin/kf")
    commands = {
        "`kf --help`": [kf, "--help"],
        "`kubectl get pipelineruns`": ["kubectl", "get", "pipelineruns", "-n", stack.namespace],
        "`kf tasks`": [kf, "tasks", "--space", stack.namespace],
    }
    try:
        runs.create(stack.namespace)
        runs.fill(stack.namespace, range(RUNS), ("shop",), owned=False)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(REPEATS):
            for name, command in commands.items():
                times[name].append(seconds(lambda command=command: run(command)))  # type: ignore[misc]
    finally:
        stack.close()
    table.rows = [(name, f"{statistics.median(taken):.2f}") for name, taken in times.items()]
    return table
