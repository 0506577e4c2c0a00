"""Preview and update of up to 2,000 tasks in 20 Apps, beside 50,000 past runs in 100 namespaces: how they grow.

On an API server of its own (`alone`), as in `growth`, and with the engine and the program, which that leaves out. No
task has run: all are held back (`terminated`), so that Tekton is not what is measured.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable

from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection

from . import runs
from .alone import Alone, alone
from .growth import NAMESPACES, line, namespaces, past
from .many import STATE_AT_THE_END
from .measure import Stack, Table, seconds
from .processes import KINDS, used_in

TITLE = "2,000 tasks in 20 Apps"
COUNTS = tuple(int(count) for count in os.environ.get("BENCH_APP_TASKS", "200,500,1000,2000").split(","))
PAST, NODES, APPS, TURNS = 50_000, 1_000, 20, int(os.environ.get("BENCH_APP_TURNS", "3"))
NOTE = (
    f"All held back (`terminated`). Beside {PAST:,} past runs in {NAMESPACES} namespaces, of which the stack has one, "
    f"and {NODES:,} nodes; an API server without controllers. The first update once, where nothing changes medians of "
    f"{TURNS}; the engine writes its state once, at the end (`PULUMI_SKIP_CHECKPOINTS`). The line is that of least "
    "squares, with the greatest distance of a column from it."
)
PROGRAM = """import os
from kf_tasks import App, Space, Task
space = Space("shop", namespace=os.environ["NAMESPACE"], memory="32M", disk="64M", cpu="10m")
apps = [App(f"of-{count}-{{n}}", space=space, image="registry.example.com/shop@sha256:{digest}") for n in range({apps})]
for n in range({count}):
    Task(f"t{{n}}", app=apps[n % {apps}], command=f"echo {{n}}", terminated=True)
"""


def measure() -> Table:
    """A column for each number of tasks."""
    what = ("what", *(f"{count:,} tasks" for count in COUNTS), "line: of none + of 1,000 more")
    table = Table(TITLE, what, NOTE)
    pattern = runs.pattern()[0]
    with alone() as one:
        names = namespaces(one)
        _add_nodes(one)
        one.write(past(pattern, names, range(PAST)))
        columns = [_measure(count, one.kubeconfig, names[0]) for count in COUNTS]
    for row in columns[0]:
        values = [column[row] for column in columns]
        table.rows.append((row, *(f"{value:.1f}" for value in values), line(COUNTS, values)))
    return table


def _add_nodes(one: Alone) -> None:
    http = Cluster.of(Connection(kubeconfig=one.kubeconfig)).http
    for number in range(NODES):
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{number:04}"}}
        http.read("POST", "/api/v1/nodes", body=node)


def _measure(count: int, kubeconfig: str, namespace: str) -> dict[str, float]:
    stack = Stack()
    stack.env |= {"KUBECONFIG": kubeconfig, "NAMESPACE": namespace, **STATE_AT_THE_END}
    try:
        stack.write(PROGRAM.format(apps=APPS, count=count, digest="0" * 64))
        found = {"first update: seconds": seconds(stack.up)}
        for what, work in (("preview", stack.preview), ("update, nothing changed", stack.up)):
            found |= {f"{what}: {one}": value for one, value in _unchanged(stack, work).items()}
    finally:
        stack.close()
    return found


def _unchanged(stack: Stack, work: Callable[[], str]) -> dict[str, float]:
    taken, used = [], []
    for _ in range(TURNS):
        with used_in(stack.folder) as one:
            taken.append(seconds(work))
        used.append(one)
    of_kind = {kind: statistics.median(one.processor.get(kind, 0) for one in used) for kind in KINDS}
    return {
        "seconds": statistics.median(taken),
        **{f"seconds of the processor, {kind}": value for kind, value in of_kind.items()},
        "MiB of the provider": max(one.mebibytes for one in used),
    }
