"""A preview of a stack whose Apps have a long past beside one of the same stack without any."""

from __future__ import annotations

import os

from . import runs
from .measure import Stack, Table, median, run

TITLE = "Preview of 20 Apps with 10,000 past runs"
APPS, RUNS = 20, int(os.environ.get("BENCH_PAST", "10000"))
PROGRAM = f"""import os
from components import App, Space, Task
space = Space(os.environ["NAMESPACE"], namespace=os.environ["NAMESPACE"], memory="32M", disk="64M", cpu="10m")
for n in range({APPS}):
    app = App(f"app-{{n}}", space=space, image=os.environ["SANDBOX_REGISTRY"] + "/busybox:1")
    Task("t", app=app, command=f"echo {{n}}")
"""


def measure() -> Table:
    """Medians of `pulumi preview` of an unchanged stack, before and after the runs are there."""
    table = Table(TITLE, ("past runs", "seconds"), "An unchanged stack of 20 Apps with a task each.")
    stack = Stack()
    apps = tuple(f"app-{number}" for number in range(APPS))
    try:
        run(["kubectl", "create", "namespace", stack.namespace])
        run(["kubectl", "label", "namespace", stack.namespace, "webhooks.knative.dev/exclude=true"])
        stack.write(PROGRAM)
        stack.up()
        stack.up()
        table.rows.append(("20, of this update", f"{median(stack.preview):.2f}"))
        runs.fill(stack.namespace, range(RUNS), apps, owned=False)
        table.rows.append((f"{RUNS:,} more", f"{median(stack.preview):.2f}"))
    finally:
        stack.close()
    return table
