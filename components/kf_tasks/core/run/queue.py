"""A run that a queue holds back: it waits for its turn, which says nothing against it, however long that takes.

Kueue holds the PipelineRun itself (`spec.status: PipelineRunPending`, as tekton-kueue does), or its pod by a
scheduling gate (Kueue's integration of pods, which Tekton hands the labels of the run on to).
"""

from __future__ import annotations

from typing import Optional

from ..api import Object
from ..marks import QUEUE

PENDING = "PipelineRunPending"  # Tekton's spec.status, and the reason of the run's condition meanwhile


def is_queued(run: Object) -> bool:
    """Whether a run may be held back, by itself or by its pod."""
    return (run.get("spec") or {}).get("status") == PENDING or QUEUE in (run["metadata"].get("labels") or {})


def held(run: Optional[Object], pod: Optional[Object]) -> str:
    """What a run waits for that is held back, to stand behind its name (`waits in queue NAME`); else empty."""
    gates = ((pod or {}).get("spec") or {}).get("schedulingGates") or []
    pending = ((run or {}).get("spec") or {}).get("status") == PENDING
    if not gates and not pending:
        return ""
    labels = [((one or {}).get("metadata") or {}).get("labels") or {} for one in (pod, run)]
    queue = next((found[QUEUE] for found in labels if found.get(QUEUE)), "")
    if queue:
        return f"waits in queue {queue}"
    by = f"scheduling gate {', '.join(str(gate.get('name')) for gate in gates)}" if gates else f"spec.status: {PENDING}"
    return f"is held back by its {by}"
