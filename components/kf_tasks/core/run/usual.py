"""How long a task usually takes: what a person wants to know who waits for it."""

from __future__ import annotations

from statistics import median
from typing import Iterable, Optional

from .. import moments, quantities
from .outcome import SUCCEEDED
from .summary import RunSummary

NEWEST = 10  # runs that count


def usual(runs: Iterable[RunSummary]) -> Optional[float]:
    """The median duration (s) of a task's newest runs that succeeded; None where no times are known."""
    done = sorted((run for run in runs if run.state == SUCCEEDED), key=lambda run: run.created)[-NEWEST:]
    known = [moments.seconds_between(run.started_at, run.finished_at) for run in done]
    return median(found) if (found := [one for one in known if one is not None]) else None


def lasting(elapsed: float, usually: Optional[float]) -> str:
    """`3m12s, usually 2m`: how long something has taken so far (s), and how long it takes as a rule."""
    more = "" if usually is None else f", usually {quantities.age_text(max(round(usually), 1))}"
    return f"{quantities.age_text(int(elapsed))}{more}"
