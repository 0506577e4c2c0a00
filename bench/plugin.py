"""The plugin of other languages: until it answers, and what it takes while it follows tasks, beside other providers."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2_grpc

from tests.e2e.languages import KUBERNETES, plugin
from tests.processes import peak_of, plugins_of, providers_of

from .latency import HEAD
from .measure import CHECKOUT, Stack, Table, run

TITLE = "The plugin of other languages"
REPEATS, TASKS = 7, 50
NOTE = (
    f"Start: medians of {REPEATS} by turns, from the start of the process to its first answer (GetPluginInfo), and the "
    f"most memory that it has had by then. {TASKS} tasks: the peak when all of them run and their logs are read; once."
)
NOBODY = "127.0.0.1:9"  # in place of an engine


def measure() -> Table:
    """A column each for the plugin, for the dynamic provider of Python programs, and for the Kubernetes provider."""
    kubernetes = Path(os.environ["PULUMI_HOME"]) / "plugins" / f"resource-kubernetes-v{KUBERNETES}"
    commands = {
        "plugin": [sys.executable, str(CHECKOUT / "plugin" / "__main__.py"), NOBODY],
        "dynamic provider": [sys.executable, "-m", "pulumi.dynamic", NOBODY],
        "Kubernetes provider": [str(kubernetes / "pulumi-resource-kubernetes"), NOBODY],
    }
    started: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            started[name].append(_first_answer(command))
    starts = [statistics.median(seconds for seconds, _ in found) for found in started.values()]
    sizes = [statistics.median(size for _, size in found) for found in started.values()]
    followed = [_followed(_in_yaml, plugins_of, "plugin"), _followed(_in_python, providers_of)]
    table = Table(TITLE, ("what", *commands), NOTE)
    table.rows = [
        ("seconds to the first answer", *(f"{taken:.2f}" for taken in starts)),
        ("MiB at the first answer", *(f"{size:.0f}" for size in sizes)),
        (f"MiB with {TASKS} tasks followed", *(f"{size:.0f}" for size in followed), ""),
    ]
    return table


def _first_answer(command: list[str]) -> tuple[float, float]:
    begun = time.monotonic()
    with subprocess.Popen(command, stdin=-3, stdout=subprocess.PIPE, stderr=-3, text=True) as process:
        assert process.stdout
        channel = grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}")
        provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(Empty())
        taken, size = time.monotonic() - begun, peak_of(process.pid)
        process.kill()
    return taken, size


def _followed(program: Callable[[Stack], None], processes: Callable[[Path], list[int]], folder: str = "") -> float:
    """The peak of the provider when all tasks run; the update is then interrupted."""
    stack = Stack()
    stack.env["PULUMI_PARALLEL"] = str(TASKS + 20)
    try:
        program(stack)
        command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
        with subprocess.Popen(command, cwd=stack.folder, env=stack.env, stdin=-3, stdout=-3, stderr=-3) as process:
            while _running(stack) < TASKS:
                if process.poll() is not None:
                    raise RuntimeError("the update has ended before all tasks ran")
                time.sleep(3)
            time.sleep(10)  # in which the logs have come
            size = max(peak_of(one) for one in processes(stack.folder / folder))
            process.send_signal(signal.SIGINT)
        return size
    finally:
        stack.close()


def _running(stack: Stack) -> int:
    flags = ["-n", stack.namespace, "--field-selector", "status.phase=Running", "-o", "name"]
    return len(run(["kubectl", "get", "pods", *flags]).splitlines())


SCRIPT = "echo begun; sleep 3600"


def _in_python(stack: Stack) -> None:
    stack.write(HEAD + f"for n in range({TASKS}):\n    Task(f't{{n}}', app=app, command={SCRIPT!r}, memory='32M')\n")


def _in_yaml(stack: Stack) -> None:
    space, image = {"memory": "32M", "disk": "64M", "cpu": "10m"}, f"{os.environ['SANDBOX_REGISTRY']}/busybox:1"
    task = {"type": "kf:Task", "properties": {"app": "${shop}", "command": SCRIPT}}
    resources = {
        stack.namespace: {"type": "kf:Space", "properties": space},
        "shop": {"type": "kf:App", "properties": {"space": f"${{{stack.namespace}}}", "image": image}},
        **{f"t{nth}": task for nth in range(TASKS)},
    }
    packages = {"kf": str(plugin(stack.folder))}
    program = {"name": "bench", "runtime": "yaml", "packages": packages, "resources": resources}
    (stack.folder / "Pulumi.yaml").write_text(json.dumps(program))
