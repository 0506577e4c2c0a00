"""Rules about time: how long tasks may run, and when schedules start them.

A schedule is judged by its fields, in its own time zone, so that the answer is the same on every day: clock changes
and rare dates count like any other day.
"""

from __future__ import annotations

import re
from typing import Any

from ..core import quantities
from ..core.errors import InvalidInput
from ..core.schedule import cron
from .readers import Task, tasks
from .rule import COUNT, SPAN, TEXTS, Rule, Settings, Violations, setting

DAY = 24 * 60
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def minutes_of(task: Task) -> list[int]:
    """The minutes of a day at which a schedule may start its task; none where only people do."""
    if not task.schedule or task.suspend:
        return []
    try:
        parsed = cron.parse(task.schedule, str(task))
    except InvalidInput:
        return []  # which the program refuses itself
    hours = [hour for hour in range(24) if 1 << hour & parsed.hours]
    return [60 * hour + minute for hour in hours for minute in range(60) if 1 << minute & parsed.minutes]


def shortest_gap(times: list[int]) -> int:
    """The least minutes from one of a day's times to the next; of a single one, a day."""
    return min((after - before) or DAY for before, after in zip(times, [*times[1:], times[0] + DAY]))


def _limits(args: Any, settings: Settings) -> Violations:
    longest = quantities.age(settings["longest"], "longest")
    for task in tasks(args):
        if task.timeout is None:
            yield task.urn, f"{task} has no timeout"
        elif task.timeout > longest:
            said = quantities.age_text(task.timeout)
            yield task.urn, f"{task} may run for {said}, and {settings['longest']} is the longest"


def _often(args: Any, settings: Settings) -> Violations:
    for task in tasks(args):
        count = len(minutes_of(task))
        if count > settings["most"]:
            yield (
                task.urn,
                f"{task} starts up to {count} times a day ({task.schedule}), and {settings['most']} is the most",
            )


def _windows(args: Any, settings: Settings) -> Violations:
    for task in tasks(args):
        for window in settings["windows"]:
            within = [time for time in minutes_of(task) if _within(time, window)]
            if within:
                first = f"{within[0] // 60:02}:{within[0] % 60:02}"
                yield (
                    task.urn,
                    f"{task} starts at {first} ({task.time_zone}), within {window}, when nothing should start",
                )


def _within(time: int, window: str) -> bool:
    """Whether a minute of the day lies in a window such as `22:00-06:00`, whose end is not in it."""
    match = _WINDOW.fullmatch(window)
    if not match:
        raise InvalidInput(f"forbidden-window: {window!r} is no window: write '08:00-18:00'")
    first, last = (60 * int(match[at]) + int(match[at + 1]) for at in (1, 3))
    return first <= time < last if first < last else time >= first or time < last


def _overlaps(args: Any, _: Settings) -> Violations:
    for task in tasks(args):
        times = minutes_of(task)
        if not times or task.concurrency_policy != "Allow":
            continue
        gap = shortest_gap(times)
        if task.timeout is None or task.timeout > 60 * gap:
            limit = "no timeout" if task.timeout is None else f"a timeout of {quantities.age_text(task.timeout)}"
            yield task.urn, f"{task} starts every {quantities.age_text(60 * gap)} at times and has {limit}"


RULES = (
    Rule(
        "timeout",
        "Tasks have a limit of time.",
        "A task that hangs holds its memory, and an update that waits for it, until somebody notices.",
        "give it timeout='30m' or the like, or the Space one for all its tasks",
        _limits,
        {"longest": setting(SPAN, "6h", "the longest limit that is taken")},
    ),
    Rule(
        "schedule-frequency",
        "Schedules do not start their tasks too often.",
        "Each start makes two pods and a PipelineRun, and what comes every minute fills the App's history.",
        "let it come less often, or make a service of it",
        _often,
        {"most": setting(COUNT, 288, "how many starts a day are taken")},
        severity="low",
    ),
    Rule(
        "forbidden-window",
        "Schedules start nothing in certain hours.",
        "Heavy work in office hours, or during a backup, is felt by everybody else.",
        "move it out of that window",
        _windows,
        {
            "windows": setting(
                {**TEXTS, "items": {"type": "string", "pattern": f"^{_WINDOW.pattern}$"}}, [],
                "hours such as '08:00-18:00' or '22:00-06:00', in the schedule's own time zone",
            )
        },
    ),
    Rule(
        "overlap",
        "A run of a schedule ends before the next begins, or the schedule says what then.",
        "Two runs of one job at a time read and write the same things, which few programs are written for.",
        "set concurrency_policy='Forbid' or 'Replace', or a timeout that is shorter than that",
        _overlaps,
    ),
)  # fmt: skip
