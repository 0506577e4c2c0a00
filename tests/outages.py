"""Which part of a cluster is away when: a plan that follows from a seed, so that an hour can be tried again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

AT_ONCE = 2
QUIET_SHARE = 0.1  # of the whole, at the beginning and at the end: something must get under way, and come to rest


@dataclass(frozen=True, order=True)
class Outage:
    """A part that is away from `begins` to `ends`, in seconds since the plan began."""

    begins: float
    ends: float
    part: str


def outages(seed: int, seconds: float, longest: Mapping[str, float], pause: float) -> list[Outage]:
    """A plan for that many seconds, in the order in which parts go.

    `longest` is for how many seconds each part may be away; short and long are equally probable, in orders of
    magnitude. At most two parts are away at once, no part twice at once, and all are back at the end. A part that was
    away stays for at least `pause` seconds; each has its turn before one has it again.
    """
    moments = random.Random(seed)
    first, last = seconds * QUIET_SHARE, seconds * (1 - QUIET_SHARE)
    plan: list[Outage] = []
    turn: list[str] = []
    now = first
    while now < last:
        turn = turn or moments.sample(sorted(longest), len(longest))
        part = turn.pop()
        lasts = longest[part] * 10 ** moments.uniform(-1, 0)
        begins = max([now, *(one.ends + pause for one in plan if one.part == part)])
        ends = begins + lasts
        while len(beside := [one for one in plan if one.begins < ends and begins < one.ends]) >= AT_ONCE:
            begins = min(one.ends for one in beside)
            ends = begins + lasts
        if ends > last:
            break
        plan.append(Outage(begins, ends, part))
        now = begins + moments.uniform(0, pause)
    return sorted(plan)


def events(plan: list[Outage]) -> list[tuple[float, str, str]]:
    """When what is to be done: seconds since the plan began, `stop` or `start`, and the part."""
    steps = [(one.begins, "stop", one.part) for one in plan] + [(one.ends, "start", one.part) for one in plan]
    return sorted(steps)
