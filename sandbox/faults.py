"""Faults on purpose: stops single parts, and runs a second API server beside the first.

What a component does while the API server is away, or when two clusters are in play, can
only be seen with real ones.
"""

from __future__ import annotations

from pathlib import Path

from sandbox import cluster, control, sweep, tekton
from sandbox.api import Api
from sandbox.lifecycle import Sandbox
from sandbox.processes import Part, until
from sandbox.steps import Failure

ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


def find(sandbox: Sandbox, name: str) -> Part:
    """A part by its name, the second plane's included once that was started."""
    record = sandbox.existing()
    known = cluster.parts(sandbox.places, record)
    if control.second(sandbox.places).kubeconfig.exists():
        known |= {part.name: part for part in cluster.second_parts(sandbox.places, record)}
    if name not in known:
        raise Failure(f"There is no part {name!r}; the parts are: {', '.join(known)}.")
    return known[name]


def stop(sandbox: Sandbox, name: str) -> None:
    part = find(sandbox, name)
    with sandbox.lock():
        was = sandbox.keeper.stop(name, part.grace)
    sandbox.steps.say(f"{name} {'stopped' if was else 'was not running'}")


def start(sandbox: Sandbox, name: str) -> None:
    part = find(sandbox, name)
    with sandbox.lock():
        sandbox.keeper.start(part)
        sandbox.keeper.wait(part)
    sandbox.steps.say(f"{name} runs")


def second_up(sandbox: Sandbox) -> Path:
    """A second API server with Tekton's definitions; returns its kubeconfig."""
    record = sandbox.existing()
    plane = control.second(sandbox.places)
    with sandbox.lock():
        control.write_kubeconfig(plane, sandbox.places, record)
        *base, controllers = cluster.second_parts(sandbox.places, record)
        for parts in (base, [controllers]):
            sandbox.start(parts)
            for part in parts:
                sandbox.keeper.wait(part)
        kubectl = Path(record.kube).parent / "bin/kubectl"
        tekton.apply(kubectl, plane.kubeconfig, tekton.definitions(Path(record.tekton)))
        api = Api(plane.kubeconfig)
        if not until(lambda: bool(api.get(tekton.RUNS)) and bool(api.get(ACCOUNT)), 60.0):
            raise Failure("The second API server does not serve Tekton's definitions.")
    sandbox.steps.say("second API server ready")
    return plane.kubeconfig


def second_down(sandbox: Sandbox) -> None:
    plane = control.second(sandbox.places)
    with sandbox.lock():
        for name in ("controller-manager", "apiserver", "etcd"):
            sandbox.keeper.stop(plane.part(name), 2.0)
        sweep.remove(plane.folder)
    sandbox.steps.say("second API server gone")
