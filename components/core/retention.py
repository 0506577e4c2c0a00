"""Which runs of an App stay: the newest `keep`, whatever their outcome.

Finished runs occupy etcd, pods and logs; without a limit they fill the cluster. Kf keeps 500 Tasks
an App. Unlike Kf's code, running tasks do not use up the places of finished ones twice: the newest
`keep` stay, and of the rest an unfinished run stays until it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Iterable, List, Mapping, Optional

from .pipelinerun import FOLLOWED, OUTCOME

DEFAULT_KEEP = 500
ABANDONED_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class RunSummary:
    """What retention and the lists need to know of a run; `created` is RFC 3339 in UTC."""

    name: str
    uid: str
    created: str
    finished: bool


def ended(finished: bool, created: str, now: Optional[str], annotations: Mapping[str, str]) -> bool:
    """Whether a run may go: not before its follower has read its log, for which it has a day from `created`.

    A task may take hours, so an hour could be over when it ends and its log is still being read.
    `now` is the cluster's time, None if it is not known.
    """
    being_read = FOLLOWED in annotations and OUTCOME not in annotations
    return finished and not (being_read and _time(now or created) - _time(created) < ABANDONED_AFTER)


def plan(runs: Iterable[RunSummary], keep: int = DEFAULT_KEEP, adding: int = 0) -> List[RunSummary]:
    """The runs to delete, oldest first, once `adding` new ones have been made.

    Ordered newest first by creation, ties by name: the first `keep` stay; of the rest the finished go.
    """
    newest_first = sorted(sorted(runs, key=lambda run: run.name), key=lambda run: run.created, reverse=True)
    surplus = newest_first[max(keep - adding, 0) :]
    return [run for run in reversed(surplus) if run.finished]


def describe(expired: List[RunSummary], total: int, shown: int = 10) -> str:
    """The preview's line: `will delete 2 of 505: a, b`, ten names at most and then a count."""
    names = ", ".join(run.name for run in expired[:shown])
    more = f" and {len(expired) - shown} more" if len(expired) > shown else ""
    return f"will delete {len(expired)} of {total}: {names}{more}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
