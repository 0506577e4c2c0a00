"""The record of one run of a task, as a resource.

A run is an event: it is submitted, followed and recorded once, and afterwards its record in the
state is all that counts. Whoever deletes the PipelineRun later deletes history, not state, so
neither `refresh` nor `up` runs the task again. Replacing the record (a changed key) is a new run.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import ConfigureRequest

from .core.state import EXPIRED, LETS_GO, RECORD
from .provider.adapter import Carried
from .provider.hosting import Adapter


class RunProvider(Adapter):
    """The door to `provider/run.py`; its class path is in every state file and its instances carry nothing."""

    def configure(self, req: ConfigureRequest) -> None:
        """Opens the room, in the provider's process alone: the program, which loads this module too, has no client."""
        super().configure(req)
        from .provider.run import Runs

        self.room = Runs()


class Run(Carried, module="kf", name="Run"):
    """One run of a task and its record; made by Task."""

    run: pulumi.Output[str]
    task_id: pulumi.Output[int]
    state: pulumi.Output[str]
    reason: pulumi.Output[str]
    exit_code: pulumi.Output[int | None]
    started_at: pulumi.Output[str]
    finished_at: pulumi.Output[str | None]
    duration: pulumi.Output[float | None]
    log: pulumi.Output[str]
    log_digest: pulumi.Output[str]
    log_lines: pulumi.Output[int]
    results: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        record = dict.fromkeys((*RECORD, "key", "nth", "again", LETS_GO))
        super().__init__(RunProvider(), name, {**record, **props}, pulumi.ResourceOptions.merge(opts, _HIDDEN))

    @property
    def lets_go(self) -> pulumi.Output[list[str] | None]:
        """The lines about the runs that go when this one has ended, known in a preview that has asked."""
        found: pulumi.Output[list[str] | None] = self.__dict__[LETS_GO]
        return found


# What `preview --diff` does not show: the record, which is another one after each run, the manifest, whose change the
# template's ConfigMap shows and a line under the task tells, and what is there for `kf review`.
_HIDDEN = pulumi.ResourceOptions(
    hide_diffs=["manifest", *RECORD, EXPIRED, "_deletions", "_last", "_unasked", "_secrets"]
)
