"""What the runs of a task tell together: how often, how long, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from .. import marks, moments
from .summary import RunSummary

SHOWN = 20
_BARS = "▁▂▃▄▅▆▇█"
_FAILED = "!"


@dataclass(frozen=True)
class Statistics:
    """A task of an App: its runs oldest first, of which `durations` are those (s) of the ones that succeeded."""

    app: str
    task: str
    runs: Sequence[RunSummary]

    @property
    def durations(self) -> List[float]:
        """How long each took that succeeded, in seconds; one that failed says nothing about how long the work takes."""
        found = [duration(run) for run in self.runs if run.succeeded == "True"]
        return [seconds for seconds in found if seconds is not None]

    def count(self, *states: str) -> int:
        """How many are in one of these states."""
        return sum(run.state in states for run in self.runs)

    @property
    def spark(self) -> str:
        """The newest runs that have ended, as bars of their durations beside the longest; ! for one that failed."""
        ended = [run for run in self.runs if run.finished][-SHOWN:]
        longest = max([duration(run) or 0.0 for run in ended if run.succeeded == "True"], default=0.0)
        return "".join(_bar(run, longest) for run in ended)


def by_task(runs: Iterable[RunSummary]) -> List[Statistics]:
    """Those of each task of each App, by their names; `runs` oldest first."""
    found: Dict[Tuple[str, str], List[RunSummary]] = {}
    for run in runs:
        found.setdefault((run.labels.get(marks.NAME, ""), run.labels.get(marks.TASK, "")), []).append(run)
    return [Statistics(app, task, of_task) for (app, task), of_task in sorted(found.items())]


def duration(run: RunSummary) -> Optional[float]:
    """How long a run took (s), None where that is not known (yet)."""
    return moments.seconds_between(run.started_at, run.finished_at) if run.finished else None


def percentile(values: Iterable[float], percent: int) -> Optional[float]:
    """The smallest value that is not exceeded by `percent` of all (nearest rank); None of none."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)] if ordered else None


def _bar(run: RunSummary, longest: float) -> str:
    if run.succeeded != "True":
        return _FAILED
    share = (duration(run) or 0.0) / longest if longest else 0.0
    return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]
