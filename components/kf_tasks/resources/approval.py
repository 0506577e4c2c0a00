"""The approval that an update is held to: `KF_APPROVED`, or `kf:approved` in the stack's configuration."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pulumi

from ..core.approval import Approval
from ..core.errors import InvalidInput
from ..core.state import Which
from .inputs import for_people
from .template import stack_id

VARIABLE = "KF_APPROVED"


@for_people()
def approved() -> dict[str, str]:
    """Where the approval is, for the process that decides; nothing without one.

    A relative path begins at the project's folder. One of another stack, an edited one and one that cannot be read
    end the program before it registers anything; whether it has expired the cluster's clock says.
    """
    given = os.environ.get(VARIABLE) or pulumi.Config("kf").get("approved")
    if not given:
        return {}
    path = Path(given).absolute()
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise InvalidInput(f"approval {path} cannot be read: {error.strerror}") from None
    _read(text, f"approval {path}").check_stack(stack_id(), f"approval {path}")
    return {"__approved": str(path)}


def check_schedule(app: str, task: str, schedule: str, time_zone: str, suspend: bool) -> None:
    """Refuses a schedule that is not approved before its CronJob is changed; raises InvalidInput."""
    path = approved().get("__approved")
    if not path:
        return
    approval = _read(Path(path).read_text("utf-8", "replace"), f"approval {path}")
    refusal = approval.schedule(Which("", "", app, task), schedule, time_zone, suspend) if approval.complete else ""
    if refusal:
        raise InvalidInput(refusal)


@functools.lru_cache(maxsize=1)
def _read(text: str, source: str) -> Approval:
    """Every component asks for it."""
    return Approval.read(text, source)
