"""An update in which nothing changes: 50 Tasks beside 50 PipelineRuns as plain resources."""

from __future__ import annotations

from .latency import HEAD
from .measure import Stack, Table, median

TITLE = "Nothing to do: 50 tasks"
PLAIN = """import os
import pulumi_kubernetes as k8s
ns = k8s.core.v1.Namespace("ns", metadata={"name": os.environ["NAMESPACE"]})
for n in range(50):
    k8s.apiextensions.CustomResource(
        f"run-{n}", api_version="tekton.dev/v1", kind="PipelineRun",
        metadata={"name": f"run-{n}", "namespace": ns.metadata["name"]},
        spec={"pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [{
            "name": "task", "image": os.environ["SANDBOX_REGISTRY"] + "/busybox:1", "command": ["echo", str(n)],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000}}]}}]}})
"""


def measure() -> Table:
    """Medians of `pulumi up --skip-preview` after a first one."""
    table = Table(TITLE, ("program", "seconds"))
    programs = {
        "50 PipelineRuns as CustomResources": PLAIN,
        "50 Tasks of one App": HEAD + "for n in range(50):\n    Task(f't{n}', app=app, command=f'echo {n}')\n",
    }
    for name, program in programs.items():
        stack = Stack()
        try:
            stack.write(program)
            stack.up()
            table.rows.append((name, f"{median(stack.up):.2f}"))
        finally:
            stack.close()
    return table
