"""What a task costs the API server from its submission to its end, by the API server's own counters.

`pulumi up` beside `kubectl wait` with `kubectl logs -f`, and `tkn`. Each asks as an account of its own, whose requests
the API server counts by themselves (a FlowSchema): so whatever else is at work in the cluster changes nothing.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.processes import provider_of

from . import peers
from .latency import HEAD
from .measure import Stack, Table, counted, run
from .processes import threads_of

TITLE = "Requests for a task"
TASKS = 5
LENGTHS = (10, 60)
NOTE = (
    f"{TASKS} tasks at once, of {' and '.join(map(str, LENGTHS))} seconds; what the API server has let through for the "
    "account of each (`apiserver_flowcontrol_dispatched_requests_total`), which leaves out log streams: one to three a "
    "task for each of them. Of `pulumi up` without those of an update in which nothing changes."
)


def measure() -> Table:
    """Requests for each task; once, since they are counted and not timed."""
    columns = ("what", *(f"of {length} s" for length in LENGTHS), f"threads at {TASKS} tasks")
    table = Table(TITLE, columns, NOTE)
    stack, numbers = Stack(), itertools.count()
    try:
        stack.write(HEAD)
        stack.up()
        ways = {"`kubectl create`, `kubectl wait` and `kubectl logs -f`": _kubectl}
        if os.environ.get("BENCH_TKN", "1") != "0":  # it takes half an hour of processor time to build
            ways["`kubectl create` and `tkn pipelinerun logs -f`"] = _tkn
        for nth, (way, follow) in enumerate(ways.items()):
            with_it = Account(stack, f"by-hand-{nth}")
            counts = [_by_hand(with_it, length, numbers, follow) for length in LENGTHS]
            with_it.close()
            table.rows.append((way, *_of_task(counts), ""))
        ours = Account(stack, "ours")
        stack.env["KUBECONFIG"] = ours.kubeconfig
        updates = [_update(stack, ours, length) for length in LENGTHS]
        ours.close()
        threads = max(threads for _, threads in updates)
        table.rows.append(("`pulumi up`", *_of_task([count for count, _ in updates]), str(threads)))
    finally:
        stack.close()
    return table


class Account:
    """A service account that may do everything, and whose requests are counted."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.namespace, self._name = stack.namespace, f"{stack.namespace}-{name}"
        run(["kubectl", "create", "serviceaccount", name, "-n", stack.namespace])
        subject = {"kind": "ServiceAccount", "name": name, "namespace": stack.namespace}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": self._name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [subject],
        }  # fmt: skip
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
        of_account = {"kind": "ServiceAccount", "serviceAccount": {"name": name, "namespace": stack.namespace}}
        schema = {
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": self._name},
            "spec": {
                "priorityLevelConfiguration": {"name": "workload-high"}, "matchingPrecedence": 500,
                "rules": [{"subjects": [of_account], "resourceRules": [everything]}],
            },
        }  # fmt: skip
        for made in (binding, schema):
            subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(made), text=True, check=True, stdout=-3)
        config = json.loads(run(["kubectl", "config", "view", "--raw", "-o", "json"]))
        config["users"][0]["user"] = {"token": run(["kubectl", "create", "token", name, "-n", stack.namespace]).strip()}
        self.kubeconfig = str(stack.folder / f"{name}.json")
        Path(self.kubeconfig).write_text(json.dumps(config))
        self._warm()

    def run(self, *command: str) -> None:
        """A command of this account."""
        run(list(command), env={**os.environ, "KUBECONFIG": self.kubeconfig})

    def count(self) -> int:
        """How many requests of this account the API server has let through."""
        name = "apiserver_flowcontrol_dispatched_requests_total"
        return counted(rf'{name}\{{[^}}]*flow_schema="{self._name}"[^}}]*\}}')

    def close(self) -> None:
        """Takes it off what is of the whole cluster; the rest goes with its namespace."""
        for kind in ("clusterrolebinding", "flowschema"):
            run(["kubectl", "delete", kind, self._name])

    def _warm(self) -> None:
        """Waits until its requests are counted; kubectl and tkn know by then what kinds there are."""
        for _ in range(60):
            self.run("kubectl", "get", "pipelineruns", "-n", self.namespace)
            if self.count():
                return
            time.sleep(1)
        raise RuntimeError(f"the API server does not count the requests of {self._name}")


def _of_task(counts: list[int]) -> list[str]:
    return [f"{count / TASKS:.1f}" for count in counts]


def _by_hand(
    account: Account, length: int, numbers: itertools.count[int], follow: Callable[[Account, str], None]
) -> int:
    """How many requests it takes to make such tasks by hand and to follow them in one way."""
    before, names = account.count(), [f"byhand-{next(numbers)}" for _ in range(TASKS)]
    threads = [threading.Thread(target=_one, args=(account, name, length, follow)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return account.count() - before


def _one(account: Account, name: str, length: int, follow: Callable[[Account, str], None]) -> None:
    step = {
        "name": "task", "image": f"{os.environ['SANDBOX_REGISTRY']}/busybox:1", "command": ["sleep", str(length)],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
    }  # fmt: skip
    manifest = {
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
        "metadata": {"name": name, "namespace": account.namespace},
        "spec": {"pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [step]}}]}},
    }  # fmt: skip
    path = Path(account.kubeconfig).with_name(f"{name}.json")
    path.write_text(json.dumps(manifest))
    account.run("kubectl", "create", "-f", str(path))
    follow(account, name)


def _tkn(account: Account, name: str) -> None:
    account.run(peers.tkn(), "pipelinerun", "logs", "-f", "-n", account.namespace, name)


def _kubectl(account: Account, name: str) -> None:
    flags, pod = ["-n", account.namespace], f"pod/{name}-task-pod"
    wait = ["kubectl", "wait", *flags, "--timeout=300s"]
    account.run(*wait, pod, "--for=create")
    account.run(*wait, pod, "--for=jsonpath={.status.phase}=Running")
    account.run("kubectl", "logs", "-f", *flags, pod, "-c", "step-task")
    account.run(*wait, f"pipelinerun/{name}", "--for=condition=Succeeded")


def _update(stack: Stack, account: Account, length: int) -> tuple[int, int]:
    """How many requests an update of such tasks takes, and how many threads its provider has at most."""
    program = HEAD + f"for n in range({TASKS}):\n    Task(f't{{n}}', app=app, command=f'sleep {length}; echo {{n}}')\n"
    counts, threads = [], 0
    for text in (program.replace("sleep", "true"), program.replace("sleep", "true"), program):
        stack.write(text)
        before = account.count()
        process = threading.Thread(target=stack.up)
        process.start()
        while process.is_alive():
            threads = max(threads, threads_of(provider_of(stack.folder)))
            time.sleep(0.5)
        counts.append(account.count() - before)
    return counts[2] - counts[1], threads
