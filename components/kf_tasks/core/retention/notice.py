"""What a preview says about retention: which runs go and by which rule, which may go besides, and what is held back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ..run.summary import RunSummary
from .plan import LAST_FAILURE, LAST_SUCCESS, UNRECOVERED, Verdict, plan
from .policy import Policy

SHOWN = 10
_UNTIL = {
    LAST_SUCCESS: "last success until another one",
    LAST_FAILURE: "last failure until another one",
    UNRECOVERED: UNRECOVERED,
}
_Named = Tuple[str, str]


@dataclass(frozen=True)
class Fate:
    """A run that goes, and by which rule; unless `sure`, the rule says on what it depends."""

    run: RunSummary
    sure: bool
    rule: str


def fates(
    runs: Sequence[RunSummary], policy: Policy, adding: int = 0, perhaps: int = 0, now: Optional[str] = None
) -> List[Fate]:
    """The runs that go or may go once `adding` runs have been made, and `perhaps` so many more; oldest first."""
    if policy.has_room(len(runs) + adding + perhaps):
        return []
    verdicts = plan(runs, policy, adding, now)
    return [Fate(one.run, True, one.rule) for one in verdicts if one.going] + _may_go(
        verdicts, runs, policy, adding + perhaps, now
    )


def lines(
    runs: Iterable[RunSummary], policy: Policy, adding: int = 0, perhaps: int = 0, now: Optional[str] = None
) -> List[str]:
    """The lines about one App, none where no run goes.

    `adding` runs are certain, `perhaps` so many more. What goes only if those run, or if a new run takes the place of
    the last success, the last failure or a failed one that stays, is told apart: it is only known in the end.
    """
    known = list(runs)
    sure = plan(known, policy, adding, now)
    goes = {one.run.name: one.rule for one in sure if one.going}
    may = {one.run.name: one.rule for one in _may_go(sure, known, policy, adding + perhaps, now)}
    if not goes and not may:
        return []
    total = sum(1 for run in known if not run.deleting) + adding
    said = [f"will delete {len(goes)} of {total}: {grouped(goes.items())}"] if goes else []
    if may:
        said.append(f"may delete {f'{len(may)} more' if goes else f'{len(may)} of {total}'}: {grouped(may.items())}")
    held = {one.run.name: one.rule for one in sure if one.held and one.run.name not in may}
    return [*said, f"held back: {grouped(held.items())}"] if held else said


def grouped(named: Iterable[_Named], shown: int = SHOWN) -> str:
    """Names with their rules, each rule once: `a, b (pinned), c (running)`; ten names at most, then counts."""
    groups: Dict[str, List[str]] = {}
    for name, rule in named:
        groups.setdefault(rule, []).append(name)
    words = []
    for rule, names in groups.items():
        words.append(f"{listed(names, shown)} ({rule})")
        shown = max(shown - len(names), 0)
    return ", ".join(words)


def listed(names: Sequence[str], shown: int = SHOWN) -> str:
    """So many names at most, then how many more: `a, b and 3 more`."""
    first, rest = ", ".join(names[:shown]), len(names) - shown
    if rest <= 0:
        return first
    return f"{first} and {rest} more" if first else f"{rest} more"


def _may_go(
    sure: Sequence[Verdict], runs: Sequence[RunSummary], policy: Policy, adding: int, now: Optional[str]
) -> List[Fate]:
    most = plan(runs, policy, adding, now, at_most=True) if adding else sure
    return [
        Fate(one.run, False, _condition(one, most_of))
        for one, most_of in zip(sure, most)
        if most_of.going and not one.going
    ]


def _condition(sure: Verdict, most: Verdict) -> str:
    """On what it depends that a run goes."""
    if sure.rule in _UNTIL:
        return _UNTIL[sure.rule]
    if sure.rule.startswith("failed"):
        return f"{sure.rule} until others fail"
    return f"{most.rule} if all that may run does"
