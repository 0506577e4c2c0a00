"""How time, memory and requests grow with the runs of the past, in 100 namespaces of which a stack has 20.

On an API server of its own, without nodes and controllers (`alone`), into whose store the runs are written. Measured is
what depends on them: what the provider asks for in a preview, `kf tasks`, and letting runs go. The engine, which
knows nothing of past runs, is left out. Requests are counted by the API server, which nobody else asks.
"""

from __future__ import annotations

import copy
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.core import marks

from . import runs
from .alone import Alone, alone
from .measure import Table, counted, peak_memory, run

TITLE = "Growth with past runs"
SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "500,5000,20000,50000").split(","))
NAMESPACES, APPS, REPEATS = 100, 20, 5
KINDS = ("pipelineruns", "taskruns", "pods", "secrets", "configmaps", "namespaces")
_COUNTER = rf'apiserver_request_total\{{[^}}]*resource="(?:{"|".join(KINDS)})"[^}}]*\}}'
PREVIEW = f"""import sys
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.provider.survey import ask
cluster = Cluster.of(Connection())
for namespace in sys.argv[1:{APPS + 1}]:
    found = ask(cluster, namespace)
    assert found.exists and not found.unasked, found.unasked
"""
RETENTION = """import sys
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.core.retention.policy import Policy
from kf_tasks.runs.pruning import prune
assert len(prune(Cluster.of(Connection()), sys.argv[1], sys.argv[2], Policy(int(sys.argv[3])))) == 1
"""


def measure() -> Table:
    """A column for each number of past runs, and what a straight line through all of them says."""
    note = (
        f"{NAMESPACES} namespaces share the runs evenly, with an App in each; of a stack with {APPS} of them. An API "
        f"server without nodes and controllers, whose store holds the runs; medians of {REPEATS}, start of each "
        "process included; none is shown with less memory than the one that measures. The line is that of least "
        "squares, with the greatest distance of a column from it."
    )
    table = Table(TITLE, ("what", *(f"{size:,} runs" for size in SIZES), "line: of none + of 1,000 more"), note)
    pattern, columns = runs.pattern()[0], []
    with alone() as one:
        names = namespaces(one)
        before = 0
        for size in SIZES:
            one.write(past(pattern, names, range(before, size)))
            before = size
            columns.append(_measure(one, names))
    for what in columns[0]:
        values = [column[what] for column in columns]
        shown = [f"{value:.2f}" if "seconds" in what else f"{value:.0f}" for value in values]
        table.rows.append((what, *shown, line(SIZES, values)))
    return table


def namespaces(one: Alone) -> list[str]:
    """Makes the namespaces that share the runs; their names."""
    names = [f"past-{number:03}" for number in range(NAMESPACES)]
    cluster = Cluster.of(Connection(kubeconfig=one.kubeconfig))
    for name in names:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        cluster.http.read("POST", "/api/v1/namespaces", body=body)
    return names


def past(pattern: Any, names: list[str], numbers: range) -> Iterator[Any]:
    """Runs of these numbers, as every run is that was followed to its end."""
    epoch = datetime(2026, 1, 1, tzinfo=UTC)
    for number in numbers:
        found, at = copy.deepcopy(pattern), number % len(names)
        labels = {marks.NAME: f"app-{at}", marks.TASK: f"t{number % 7}", marks.KEY: f"{number:016x}"}
        labels |= {marks.TASK_ID: str(number // len(names) + 1), marks.STACK: "bench.bench"}
        metadata = found["metadata"]
        metadata.update(name=f"run-{number:06}", namespace=names[at], labels={**metadata["labels"], **labels})
        metadata["creationTimestamp"] = f"{epoch + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}"
        metadata["annotations"] = {**metadata.get("annotations", {}), marks.RECORDED: "true"}
        yield found


def _measure(one: Alone, names: list[str]) -> dict[str, float]:
    def python(*arguments: str) -> list[str]:
        return [sys.executable, *arguments]

    tasks = python("-m", "kf_tasks.cli", "tasks", "--space", names[0])
    peak_memory(tasks, env=one.env)  # the API server has read what is new of its store by then
    listed = run(["kubectl", "get", "pipelineruns", "-n", names[-1], "-o", "name"], env=one.env).split()
    ways: dict[str, Callable[[int], list[str]]] = {
        f"what a preview asks for {APPS} Apps": lambda _nth: python("-c", PREVIEW, *names),
        "`kf tasks` of one App": lambda _nth: tasks,
        "one run of an App goes": lambda nth: python(
            "-c", RETENTION, names[-1], f"app-{NAMESPACES - 1}", str(len(listed) - 1 - nth)
        ),
    }
    found: dict[str, float] = {}
    for what, command in ways.items():
        repeats = min(REPEATS, len(listed) - 1)
        asked, taken = _count(one), [peak_memory(command(nth), env=one.env) for nth in range(repeats)]
        found[f"{what}: seconds"] = statistics.median(seconds for seconds, _ in taken)
        found[f"{what}: MiB"] = statistics.median(memory for _, memory in taken)
        found[f"{what}: requests"] = (_count(one) - asked) / repeats
    return found


def _count(one: Alone) -> int:
    """How many requests the API server has answered, of kinds that hardly any other part of it asks for."""
    time.sleep(1)  # it counts a request when it is over
    return counted(_COUNTER, env=one.env)


def line(sizes: Sequence[int], values: Sequence[float]) -> str:
    """The straight line through the values, and how far at most one of them is from it."""
    if len(sizes) < 2:
        return ""
    slope, constant = statistics.linear_regression(sizes, values)
    away = max(abs(value - constant - slope * size) for size, value in zip(sizes, values))
    return f"{constant:.2f} + {1000 * slope:.3f} (± {away:.2f})"
