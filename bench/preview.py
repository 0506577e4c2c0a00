"""A preview of a stack whose Apps have a long past beside one of the same stack without any."""

from __future__ import annotations

import os
import statistics
from contextlib import ExitStack

from . import runs
from .measure import Stack, Table, seconds

TITLE = "Preview of 20 Apps with 10,000 past runs"
APPS, RUNS, REPEATS = 20, int(os.environ.get("BENCH_PAST", "10000")), 7
PROGRAM = f"""import os
from kf_tasks import App, Space, Task
space = Space(os.environ["NAMESPACE"], namespace=os.environ["NAMESPACE"], memory="32M", disk="64M", cpu="10m")
for n in range({APPS}):
    app = App(f"app-{{n}}", space=space, image=os.environ["SANDBOX_REGISTRY"] + "/busybox:1")
    Task("t", app=app, command=f"echo {{n}}")
"""


def measure() -> Table:
    """Medians of `pulumi preview` of two unchanged stacks by turns, of which one has the past runs."""
    note = f"An unchanged stack of {APPS} Apps with a task each; medians of {REPEATS} by turns."
    table = Table(TITLE, ("past runs", "seconds"), note)
    with ExitStack() as cleanup:
        new, old = Stack(), Stack()
        for stack in (new, old):
            cleanup.callback(stack.close)
            runs.create(stack.namespace)
            stack.write(PROGRAM)
            stack.up()
            stack.up()
        runs.fill(old.namespace, range(RUNS), tuple(f"app-{number}" for number in range(APPS)), owned=False)
        runs.rest()
        times: dict[Stack, list[float]] = {new: [], old: []}
        for _ in range(REPEATS):
            for stack, taken in times.items():
                taken.append(seconds(stack.preview))
        table.rows.append((f"{APPS}, of this update", f"{statistics.median(times[new]):.2f}"))
        table.rows.append((f"{RUNS:,} more", f"{statistics.median(times[old]):.2f}"))
    return table
