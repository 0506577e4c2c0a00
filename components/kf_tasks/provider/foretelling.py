"""What a preview tells reviewers and policies, as inputs: `kf review` reads them, and no line's wording.

Their names begin with one `_`, they are there in previews alone, and no `diff` looks at them: they are never a reason
for an update or a replacement, never part of a state, and nothing that a saved plan holds an update to.

- Run: `_last`, its task's newest runs, oldest first (see `past`); `_unasked`, what was not asked and why; `_secrets`,
  which secrets that the task reads have another value (see `of_secrets`). In the plugin also `_deletions`, as for a
  History, which was asked before it, and without those that it has told.
- History: `_deletions`, the runs that go or may go and why (see `deletions`); `_reach`, how far back the rest reaches;
  `_asked`, when the cluster was asked, by its clock.
- Calendar: `_asked`, the moment from which times are counted, `_next`, the next three, `_last` and `_secrets` as for a
  Run.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from ..core.marks import OUTCOME, TASK
from ..core.retention.notice import Fate
from ..core.review.schedules import upcoming
from ..core.run.summary import RunSummary
from ..core.state import CalendarInputs

LAST = 10  # runs of a task are told of
_SALTED = 8  # digits of a digest
SUCCEEDED, FAILED = "Succeeded", "Failed"


def of_run(runs: Iterable[RunSummary] | None, unasked: str) -> dict[str, Any]:
    """For a Run, of whose task these runs are there; None where nobody knows."""
    return {**({"_unasked": unasked} if unasked else {}), **_last(runs)}


def of_secrets(before: Any, after: Any, salt: bytes) -> dict[str, Any]:
    """Digests of the values that are others now, before and after, by Secret and key; None of what is not known.

    Under a salt that nobody keeps they can be compared with each other, and not with what somebody tries out.
    """
    olds, news = before or {}, after or {}
    found = {
        secret: {key: [_salted(olds[secret][key], salt), _salted(value, salt)] for key, value in values.items()
                 if olds.get(secret, {}).get(key, value) != value}
        for secret, values in news.items()
    }  # fmt: skip
    told = {secret: keys for secret, keys in found.items() if keys}
    return {"_secrets": told} if told else {}


def _salted(value: str, salt: bytes) -> str:
    return hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()[:_SALTED]


def of_history(fates: Iterable[Fate], reach: str, now: str | None) -> dict[str, Any]:
    """For a History, whose runs have these fates; `now` is the cluster's, None where it was not asked."""
    return {**of_deletions(fates), "_reach": reach, **({"_asked": now} if now else {})}


def of_deletions(fates: Iterable[Fate]) -> dict[str, Any]:
    """The runs that have these fates."""
    return {"_deletions": [*map(deletion, fates)]}


def of_calendar(inputs: CalendarInputs, now: str, runs: Iterable[RunSummary] | None) -> dict[str, Any]:
    """For a Calendar; `runs` are those of its task, None where the cluster was not asked."""
    following = [] if inputs.suspend else [*upcoming(inputs.schedule, inputs.time_zone, now)]
    return {"_asked": now, "_next": following, **_last(runs)}


def _last(runs: Iterable[RunSummary] | None) -> dict[str, Any]:
    return {} if runs is None else {"_last": [past(run) for run in newest(runs)]}


def newest(runs: Iterable[RunSummary]) -> list[RunSummary]:
    """The newest runs, oldest first."""
    return sorted(runs, key=lambda run: run.age)[-LAST:]


def past(run: RunSummary) -> dict[str, Any]:
    """A run: name, number within its App, moments (RFC 3339), and how it ended, empty while it goes on.

    Without `started` and `finished` where so many runs are there that only their names were asked for.
    """
    times = {"started": run.started_at, "finished": run.finished_at}
    return {
        "run": run.name,
        "task_id": run.task_id,
        "created": run.created,
        "outcome": outcome(run),
        **{name: value for name, value in times.items() if value},
    }


def deletion(fate: Fate) -> dict[str, Any]:
    """A run that goes: its name, its task, when it was made, how it ended, why it goes, and whether it is certain."""
    run = fate.run
    told = {"run": run.name, "task": run.labels.get(TASK, ""), "created": run.created, "outcome": outcome(run)}
    return {**told, "rule": fate.rule, "sure": fate.sure}


def outcome(run: RunSummary) -> str:
    """How a run ended: `Succeeded`, or what its follower has written down, or Tekton's reason; empty while it runs."""
    if not run.finished:
        return ""
    return (run.annotations.get(OUTCOME) or run.reason or FAILED) if run.failed else SUCCEEDED
