"""Whether a schedule's run may still go on when the next one comes, or another one of its App."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Iterable, Mapping

from .. import moments, quantities
from ..errors import InvalidInput
from ..schedule.clock_changes import words
from .schedules import local, times


def overlaps(inputs: Mapping[str, Any], all_of: Iterable[Mapping[str, Any]], at: str) -> tuple[str, ...]:
    """What runs at once within a week of `at`, in sentences; `inputs` are those of one Calendar among `all_of`."""
    own = _times(inputs, at)
    limit = _timeout(inputs)
    if not own:
        return ()
    said = []
    gap = min((after - before for before, after in pairwise(own)), default=None)
    if gap is not None and limit is not None and gap < limit:
        said.append(f"comes again after {words(gap)}, while a run of it may take {words(limit)}")
    elif gap is not None and limit is None:
        said.append(f"comes again after {words(gap)}, while nothing limits a run of it")
    place = inputs.get("namespace"), inputs.get("app")
    for other in sorted(all_of, key=lambda one: str(one.get("task"))):
        if other.get("task") == inputs.get("task") or (other.get("namespace"), other.get("app")) != place:
            continue
        met = _met(own, limit, _times(other, at), _timeout(other))
        if met:
            zone = str(inputs.get("time_zone"))
            when = local(moments.of_epoch(met[0]), zone)
            often = "once" if len(met) == 1 else f"{len(met)} times"
            said.append(f"may run beside {other.get('task')} {often} in seven days, first {when}")
    return tuple(said)


def _met(own: list[int], limit: int | None, others: list[int], other_limit: int | None) -> list[int]:
    """The times at which one begins while the other may still run."""
    found = []
    nth = 0
    for moment in own:
        while nth < len(others) and other_limit is not None and others[nth] + other_limit <= moment:
            nth += 1
        if nth < len(others) and (limit is None or others[nth] < moment + limit):
            found.append(max(moment, others[nth]))
    return found


def _times(inputs: Mapping[str, Any], at: str) -> list[int]:
    if inputs.get("suspend"):
        return []
    return times(str(inputs.get("schedule") or ""), str(inputs.get("time_zone") or ""), at)


def _timeout(inputs: Mapping[str, Any]) -> int | None:
    """How many seconds a run may take; None for ever, or where only the update knows."""
    try:
        given = inputs["manifest"]["spec"]["timeouts"]["pipeline"]
        return quantities.seconds(given, "") or None
    except (InvalidInput, LookupError, TypeError):
        return None
