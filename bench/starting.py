"""How quickly `kf` answers: its help, a list of tasks, and the names that a shell completes, beside kubectl's.

A busy machine makes all of them wait; what they need of the processor tells even then what has changed.
"""

from __future__ import annotations

import statistics
import time

from . import runs
from .measure import CHECKOUT, Stack, Table, processor, run

TITLE = "Start of kf"
RUNS, REPEATS = 20, 11


def measure() -> Table:
    """Medians by turns of each command, start of the process included, and the least that it took of the processor."""
    note = f"A namespace with {RUNS} runs; medians of {REPEATS} by turns, and of the processor the least."
    table = Table(TITLE, ("what", "seconds", "of the processor"), note)
    stack = Stack()
    kf = str(CHECKOUT / ".venv/bin/kf")
    commands = {
        "`kf --help`": [kf, "--help"],
        "`kubectl get pipelineruns`": ["kubectl", "get", "pipelineruns", "-n", stack.namespace],
        "`kf tasks`": [kf, "tasks", "--space", stack.namespace],
        "completion of `kubectl get pipelinerun `": [
            "kubectl", "__complete", "get", "pipelinerun", "-n", stack.namespace, "",
        ],
        "completion of `kf task `, never asked before": _completion(kf, stack.namespace, "$(mktemp -d)"),
        "completion of `kf task `, asked within 5 s": _completion(kf, stack.namespace, str(stack.folder)),
    }  # fmt: skip
    try:
        runs.create(stack.namespace)
        runs.fill(stack.namespace, range(RUNS), ("shop",), owned=False)
        times: dict[str, list[float]] = {name: [] for name in commands}
        used: dict[str, list[float]] = {name: [] for name in commands}
        offered: dict[str, int] = dict.fromkeys((name for name in commands if name.startswith("completion")), 0)
        for _ in range(REPEATS):
            for name, command in commands.items():
                # Who completes leaves the cluster to another process, which is not counted.
                begun, before = time.monotonic(), processor(own=False)
                said = run(command)
                times[name].append(time.monotonic() - begun)
                used[name].append(processor(own=False) - before)
                if name in offered and f"run-{RUNS - 1:06}" in said:
                    offered[name] += 1
    finally:
        stack.close()
    often = {name: f" (with the names {count} of {REPEATS} times)" for name, count in offered.items()}
    table.rows = [
        (name, f"{statistics.median(taken):.2f}{often.get(name, '')}", f"{min(used[name]):.2f}")
        for name, taken in times.items()
    ]
    return table


def _completion(kf: str, space: str, remembered: str) -> list[str]:
    """What a shell asks of `kf` for the name of a task, with what was offered before in the folder `remembered`."""
    words = f"kf --space {space} task "
    asks = f"_KF_COMPLETE=bash_complete COMP_CWORD={len(words.split())} COMP_WORDS='{words}'"
    return ["sh", "-c", f"{asks} XDG_CACHE_HOME={remembered} exec {kf}"]
