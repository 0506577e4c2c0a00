"""Deleting the older part of many finished runs: ours beside `tkn` and `kubectl delete` with a list of names.

Most of an hour goes by while runs are made and the garbage collector works; BENCH_PRUNINGS=1 measures everything once.
"""

from __future__ import annotations

import os
import statistics
import sys

from components.cluster import Cluster
from components.connection import Connection

from . import peers, runs
from .measure import CHECKOUT, Table, peak_memory
from .wire import Wire, requests

TITLE = "Pruning 5,000 finished runs to 500"
REPEATS = int(os.environ.get("BENCH_PRUNINGS", "5"))
RUNS, KEEP = int(os.environ.get("BENCH_RUNS", "5000")), int(os.environ.get("BENCH_KEEP", "500"))
OURS = """import sys
from components.cluster import Cluster
from components.connection import Connection
from components.core.retention import Policy
from components.submission import prune
prune(Cluster.of(Connection()), sys.argv[1], "shop", Policy(keep=int(sys.argv[2])))
"""
NAMES = "kubectl get pipelineruns -n {namespace} --sort-by=.metadata.creationTimestamp -o name"


def measure() -> Table:
    """Medians; a namespace is filled up again after each deletion, and kubectl is measured once."""
    columns = ("what", "measurements", "seconds", "peak memory MiB", "requests", "MB on the wire")
    note = "Start of the process included. A list of names takes kubectl so long that it is measured once."
    table = Table(TITLE, columns, note)
    older = f"{NAMES} | head -n -{KEEP} | xargs kubectl delete -n {{namespace}} --wait=false"
    commands = {
        "ours: list, plan and delete": ([sys.executable, "-c", OURS, "{namespace}", str(KEEP)], REPEATS),
        "`tkn pipelinerun delete --keep`": (
            [peers.tkn(), "pipelinerun", "delete", "--keep", str(KEEP), "-f", "-n", "{namespace}"],
            REPEATS,
        ),
        "`kubectl get --sort-by` and `kubectl delete` with the list": (["bash", "-c", f"exec bash -c '{older}'"], 1),
    }
    wire = Wire()
    for name, (command, repeats) in commands.items():
        rows: list[tuple[float, ...]] = []
        namespace = runs.namespace()
        for number in range(repeats):
            runs.fill(namespace, range(number * RUNS, (number + 1) * RUNS - _left(namespace)))
            sent, asked = wire.bytes, requests()
            filled = [part.format(namespace=namespace) for part in command]
            taken = peak_memory(filled, cwd=CHECKOUT, env={**os.environ, "KUBECONFIG": wire.kubeconfig})
            rows.append((*taken, requests() - asked, (wire.bytes - sent) / 1e6))
            if _left(namespace) != KEEP:
                raise RuntimeError(f"{_left(namespace)} runs are left in {namespace}, {KEEP} were to stay")
            runs.settle(namespace, KEEP)
        seconds, memory, count, megabytes = (statistics.median(column) for column in zip(*rows))
        figures = (f"{seconds:.1f}", f"{memory:.0f}", f"{count:,.0f}", f"{megabytes:.1f}")
        table.rows.append((name, str(len(rows)), *figures))
        print(*table.rows[-1], sep=" | ", flush=True)
        runs.close(namespace)
    return table


def _left(namespace: str) -> int:
    return len(Cluster.of(Connection()).list_runs(namespace, "shop"))
