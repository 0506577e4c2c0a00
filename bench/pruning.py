"""Deleting the older part of many finished runs: ours beside `tkn` and `kubectl delete` with a list of names.

An hour goes by, most of it while runs are made; BENCH_PRUNINGS=1 measures everything once. The cluster's garbage
collector stands still while a deletion is measured, else its own requests would be counted and disturb. Before the
next one it has collected what the deleted runs owned: with gigabytes of it the API server is slower from time to time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection

from . import peers, runs
from .measure import CHECKOUT, Table, medians, peak_memory, run
from .wire import Wire, requests

TITLE = "Pruning 5,000 finished runs to 500"
REPEATS = int(os.environ.get("BENCH_PRUNINGS", "5"))
RUNS, KEEP = int(os.environ.get("BENCH_RUNS", "5000")), int(os.environ.get("BENCH_KEEP", "500"))
OURS = """import sys
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.core.retention.policy import Policy
from kf_tasks.runs.pruning import prune
prune(Cluster.of(Connection()), sys.argv[1], "shop", Policy(keep=int(sys.argv[2])))
"""
KUBECTL = """kubectl get pipelineruns -n {namespace} --sort-by=.metadata.creationTimestamp -o name |
head -n -{keep} | xargs kubectl delete -n {namespace} --wait=false"""


def measure() -> Table:
    """Medians; by turns in a namespace that is filled up before each. kubectl mostly waits: all of its go at once."""
    columns = ("what", "seconds", "peak memory MiB", "MB on the wire", "requests")
    note = "Start of the process included. kubectl deletes five a second anywhere: its measurements were made at once."
    table = Table(TITLE, columns, note)
    tkn = [peers.tkn(), "pipelinerun", "delete", "--keep", "{keep}", "-f", "-n", "{namespace}"]
    turns = {
        "ours: list, plan and delete": [sys.executable, "-c", OURS, "{namespace}", "{keep}"],
        "`tkn pipelinerun delete --keep`": tkn,
    }
    measured: dict[str, list[tuple[float, ...]]] = {name: [] for name in turns}
    with _pasts(1) as pasts:
        for _ in range(REPEATS):
            for name, command in turns.items():
                measured[name] += _prune(pasts, command)
    with _pasts(REPEATS) as pasts:
        measured["`kubectl get --sort-by` and `kubectl delete` with the list"] = _prune(pasts, ["bash", "-c", KUBECTL])
    for name, figures in measured.items():
        seconds, memory, megabytes, count = medians(figures)
        table.rows.append((name, f"{seconds:.1f}", f"{memory:.0f}", f"{megabytes:.1f}", f"{count:,.0f}"))
    return table


def _prune(pasts: list[Past], command: list[str]) -> list[tuple[float, ...]]:
    """Seconds, memory, megabytes and requests of a command in each of these namespaces, all at the same time."""
    for past in pasts:
        past.fill()
    runs.rest()
    with _nothing_collected():
        asked = requests()
        with ThreadPoolExecutor(len(pasts)) as pool:
            taken = list(pool.map(lambda past: past.prune(command), pasts))
        each = (requests() - asked) / len(pasts)
    for past in pasts:
        past.check()
    for figures in taken:
        print(Path(command[0]).name, *(f"{figure:.1f}" for figure in (*figures, each)), sep=" | ", flush=True)
    return [(*figures, each) for figures in taken]


class Past:
    """A namespace with finished runs, and the bytes that go to and from it."""

    def __init__(self) -> None:
        self.namespace, self._made, self._wire = runs.namespace(), 0, Wire()

    def fill(self) -> None:
        """Makes as many new runs as are missing; what belonged to others is gone then."""
        more = RUNS - self._left()
        runs.fill(self.namespace, range(self._made, self._made + more))
        self._made += more
        runs.await_collection(self.namespace, RUNS)

    def prune(self, command: list[str]) -> tuple[float, ...]:
        """Seconds, peak memory in MiB and megabytes on the wire."""
        filled = [part.format(namespace=self.namespace, keep=KEEP) for part in command]
        sent, env = self._wire.bytes, {**os.environ, "KUBECONFIG": self._wire.kubeconfig}
        taken = peak_memory(filled, cwd=CHECKOUT, env=env)
        return (*taken, (self._wire.bytes - sent) / 1e6)

    def check(self) -> None:
        """Raises RuntimeError if not as many are left as were to stay."""
        if self._left() != KEEP:
            raise RuntimeError(f"{self._left()} runs are left in {self.namespace}, {KEEP} were to stay")

    def _left(self) -> int:
        return Cluster.of(Connection()).count_runs(self.namespace)


@contextmanager
def _pasts(count: int) -> Iterator[list[Past]]:
    """So many namespaces."""
    with ExitStack() as cleanup:
        pasts = []
        for _ in range(count):
            pasts.append(Past())
            cleanup.callback(runs.close, pasts[-1].namespace)
        yield pasts


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Meanwhile nobody collects what deleted runs owned."""
    run([sys.executable, "-m", "sandbox", "stop", "controller-manager"], cwd=CHECKOUT)
    try:
        yield
    finally:
        run([sys.executable, "-m", "sandbox", "start", "controller-manager"], cwd=CHECKOUT)
