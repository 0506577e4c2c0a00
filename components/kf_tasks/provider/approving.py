"""The approval that an update is held to, if it is held to one.

The program has found the file (`resources/approval`) and says where it is, as an input that no state compares. What is
deleted is deleted by what the state holds: then the checks of this process have told it, or `KF_APPROVED` does.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from ..cluster.connection import Connection
from ..core import moments
from ..core.approval import Approval
from ..core.errors import InvalidInput
from ..core.state import CalendarInputs, HistoryInputs, RunInputs
from .preview import Preview
from .survey import Survey

VARIABLE = "KF_APPROVED"


def read(path: str) -> Approval:
    """The approval in a file; raises InvalidInput for none."""
    try:
        return Approval.read(Path(path).read_text("utf-8", "replace"), f"approval {path}")
    except OSError as error:
        raise InvalidInput(f"approval {path} cannot be read: {error.strerror}") from None


def held_to(
    preview: Preview, inputs: RunInputs | HistoryInputs | CalendarInputs, stack: str, seen: Survey,
    connection: Connection | None,
) -> Approval | None:  # fmt: skip
    """The approval of this update, if there is one; raises InvalidInput where it does not hold."""
    preview.approved = inputs.approved or preview.approved
    found = known(preview)
    if found is None:
        return None
    source = f"approval {_path(preview)}"
    found.check_stack(stack, source)
    if not preview.in_time:  # asked once: what has begun in time is not stopped half-way
        cluster = preview.cluster(connection).now if connection else None
        found.check_time(seen.now or cluster or moments.now(), source)
        preview.in_time = True
    return found


def known(preview: Preview) -> Approval | None:
    """The approval that this process is held to."""
    path = _path(preview)
    return _read_once(path) if path else None


def _path(preview: Preview) -> str:
    return preview.approved or os.environ.get(VARIABLE, "")


@functools.cache
def _read_once(path: str) -> Approval:
    return read(path)
