"""Which runs of an App stay, and the rule that says so: one pure function for whoever lets runs go.

Finished runs occupy etcd, pods and logs; without a limit they fill the cluster. Kf keeps 500 Tasks
an App. Unlike Kf's code, running tasks do not use up the places of finished ones twice: the newest
`keep` stay, and of the rest an unfinished run stays until it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Iterable, List, Optional

from .. import marks, moments, quantities
from ..notify import owed
from ..run.attempts import Records, is_awaited, newest_records
from ..run.summary import RunSummary
from .policy import DEFAULT, Policy

ABANDONED_AFTER = timedelta(days=1)

# Why a run stays although its time is up.
DELETING, RUNNING, READ, PINNED = "is being deleted", "running", "its log is being read", "pinned"
AWAITED = "not recorded yet"
LAST_SUCCESS, LAST_FAILURE, NOT_ARCHIVED = "last success", "last failure", "log not archived"
UNRECOVERED = "last failure of a task whose recovery will be told"
MOST_UNRECOVERED = 100  # of tasks that nobody runs again, or each under another name, no more may stay
HOLDS = (RUNNING, READ, AWAITED, PINNED, LAST_SUCCESS, LAST_FAILURE, UNRECOVERED, NOT_ARCHIVED)


@dataclass(frozen=True)
class Verdict:
    """Whether a run goes, and the rule that decided."""

    run: RunSummary
    going: bool
    rule: str

    @property
    def held(self) -> bool:
        """Whether the run would go but for what holds it."""
        return not self.going and self.rule in HOLDS


def plan(
    runs: Iterable[RunSummary],
    policy: Policy = DEFAULT,
    adding: int = 0,
    now: Optional[str] = None,
    at_most: bool = False,
) -> List[Verdict]:
    """What becomes of every run, oldest first, once `adding` new ones have been made.

    Ordered newest first by creation, ties by name. `now` is the cluster's time, by whose clock runs were made;
    without it nothing is too old. How the new ones will end is not known: they take no place from the last success,
    the last failure and the failed ones that stay, but with `at_most` they do, which tells what may go besides.
    A run that is being deleted already takes no place. What tells a recovery from just another success stays, too,
    unless it is too old, of the MOST_UNRECOVERED tasks that failed last.
    """
    newest_first = sorted(sorted(runs, key=lambda run: run.name), key=lambda run: run.created, reverse=True)
    replaced = adding if at_most else 0
    failures = [run.name for run in newest_first if run.finished and run.failed and not run.deleting]
    successes = [run.name for run in newest_first if run.succeeded == "True" and not run.deleting]
    failed = set(failures[: max(policy.keep_failed - replaced, 0)])
    oldest = moments.before(now, policy.max_age) if now and policy.max_age else ""
    has_room = policy.has_room(adding + len(newest_first))
    records = {} if has_room else newest_records(newest_first)
    awaited = set() if has_room else owed.awaited(run for run in newest_first if run.created >= oldest)
    unrecovered = [run.name for run in newest_first if run.name in awaited][:MOST_UNRECOVERED]
    lasting = {
        **dict.fromkeys(unrecovered, UNRECOVERED),
        **dict.fromkeys(successes[:1], LAST_SUCCESS),
        **dict.fromkeys(failures[:1], LAST_FAILURE),
    }
    verdicts, place, newest = [], adding, f"newest {policy.keep}"
    for run in newest_first:
        if run.deleting:
            verdicts.append(Verdict(run, False, DELETING))
            continue
        surplus, old = place >= policy.keep, run.created < oldest
        place += 1
        if not old and not surplus:
            verdicts.append(Verdict(run, False, newest))
        elif not old and run.name in failed:
            verdicts.append(Verdict(run, False, f"failed, newest {policy.keep_failed} of them"))
        else:
            hold = _hold(run, policy, now, records) or ("" if replaced else lasting.get(run.name, ""))
            if not hold and policy.archived_only and not run.annotations.get(marks.ARCHIVED):
                hold = NOT_ARCHIVED
            too_many = surplus and run.name not in failed
            reason = f"beyond the newest {policy.keep}" if too_many else f"older than {_span(policy)}"
            verdicts.append(Verdict(run, not hold, hold or reason))
    return verdicts[::-1]


def is_pinned(run: RunSummary, policy: Policy = DEFAULT) -> bool:
    """Whether a run is marked as one that stays, or named by the policy."""
    return run.name in policy.pinned or run.annotations.get(marks.PINNED, "false") != "false"


def _hold(run: RunSummary, policy: Policy, now: Optional[str], records: Records) -> str:
    if not run.finished:
        return RUNNING
    if _is_read(run, now):
        return READ
    if is_awaited(run, records):
        return AWAITED
    return PINNED if is_pinned(run, policy) else ""


def _is_read(run: RunSummary, now: Optional[str]) -> bool:
    """Whether a follower still reads the run's log, for which it has a day from `created`.

    A task may take hours, so an hour could be over when it ends and its log is still being read.
    """
    being_read = marks.FOLLOWED in run.annotations and marks.OUTCOME not in run.annotations
    return being_read and moments.parse(now or run.created) - moments.parse(run.created) < ABANDONED_AFTER


def _span(policy: Policy) -> str:
    return quantities.age_text(policy.max_age or 0)
