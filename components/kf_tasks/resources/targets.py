"""What an update deletes that is told to change some resources only (`--target`).

Each Run lets runs go when it has ended, and has found out which, but History says it for all of them together. An
update of a Run alone does not ask History: in a preview it has nothing to say then, and the lines are those of the Run.
"""

from __future__ import annotations

import contextlib

import pulumi

from ..history import History
from ..run import Run
from .plan import Roll


def tell(history: History, roll: pulumi.Output[Roll]) -> pulumi.Output[int]:
    """Says under each Run what goes with it, in a preview that leaves out the App's History; gives how many lines."""

    async def lines(found: Roll) -> int:
        said = 0
        # What could not be registered ends the program with its own error.
        with contextlib.suppress(Exception):
            if pulumi.runtime.is_dry_run() and not await history.expired.is_known():
                for record in found.runs.values():
                    said += await _tell(record)
        return said

    return roll.apply(lines)


async def _tell(record: Run) -> int:
    lines = (await record.lets_go.future() or []) if await record.lets_go.is_known() else []
    for line in lines:
        pulumi.log.info(line, record)
    return len(lines)
