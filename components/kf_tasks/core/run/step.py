"""The step of a run that does its work: what a list and a log need to know of how a run is built.

It stands apart from what builds one, which is much more, and which `kf` need not load to show runs.
"""

from __future__ import annotations

from ..api import Object

STEP = "task"
CONTAINER = f"step-{STEP}"


def step_of(manifest: Object) -> Object:
    """The step of a PipelineRun of ours that does its work; what others prepare stands before it."""
    step: Object = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][-1]
    return step
