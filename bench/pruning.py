"""Deleting the older part of many finished runs: ours beside `tkn` and `kubectl delete` with a list of names.

Three quarters of an hour go by, most of it while runs are made; BENCH_PRUNINGS=1 measures everything once. The garbage
collector stands still until all is measured, else its own requests would be counted and disturb.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from components.cluster import Cluster
from components.connection import Connection

from . import peers, runs
from .measure import CHECKOUT, Table, peak_memory, run
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
    """Medians; by turns, each in a namespace that is filled up again before."""
    columns = ("what", "measurements", "seconds", "peak memory MiB", "requests", "MB on the wire")
    table = Table(TITLE, columns, "Start of the process included. kubectl is measured once: it deletes five a second.")
    older = f"{NAMES} | head -n -{KEEP} | xargs kubectl delete -n {{namespace}} --wait=false"
    commands = {
        "ours: list, plan and delete": ([sys.executable, "-c", OURS, "{namespace}", str(KEEP)], REPEATS),
        "`tkn pipelinerun delete --keep`": (
            [peers.tkn(), "pipelinerun", "delete", "--keep", str(KEEP), "-f", "-n", "{namespace}"],
            REPEATS,
        ),
        "`kubectl get --sort-by` and `kubectl delete` with the list": (["bash", "-c", older], 1),
    }
    wire, namespace, made = Wire(), runs.namespace(), 0
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in commands}
    with ExitStack() as cleanup:
        cleanup.callback(runs.close, namespace)
        cleanup.enter_context(_stopped("controller-manager"))
        for turn in range(REPEATS):
            for name, (command, times) in commands.items():
                if turn >= times:
                    continue
                more = RUNS - _left(namespace)
                runs.fill(namespace, range(made, made := made + more))
                runs.rest()
                sent, asked = wire.bytes, requests()
                filled = [part.format(namespace=namespace) for part in command]
                taken = peak_memory(filled, cwd=CHECKOUT, env={**os.environ, "KUBECONFIG": wire.kubeconfig})
                rows[name].append((*taken, requests() - asked, (wire.bytes - sent) / 1e6))
                print(name, *(f"{figure:.1f}" for figure in rows[name][-1]), sep=" | ", flush=True)
                if _left(namespace) != KEEP:
                    raise RuntimeError(f"{_left(namespace)} runs are left in {namespace}, {KEEP} were to stay")
    for name, measured in rows.items():
        seconds, memory, count, megabytes = (statistics.median(column) for column in zip(*measured))
        figures = (f"{seconds:.1f}", f"{memory:.0f}", f"{count:,.0f}", f"{megabytes:.1f}")
        table.rows.append((name, str(len(measured)), *figures))
    return table


@contextmanager
def _stopped(part: str) -> Iterator[None]:
    """A part of the sandbox stands still meanwhile."""
    run([sys.executable, "-m", "sandbox", "stop", part], cwd=CHECKOUT)
    try:
        yield
    finally:
        run([sys.executable, "-m", "sandbox", "start", part], cwd=CHECKOUT)


def _left(namespace: str) -> int:
    return Cluster.of(Connection()).count_runs(namespace)
