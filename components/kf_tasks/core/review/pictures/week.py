"""The schedules of the seven days after a preview on one strip: each time a stroke, hollow where the update ends it."""

from __future__ import annotations

from ... import moments
from ..document import Picture, cell
from ..model import Planned, Review, Times
from ..schedules import times
from . import svg

ROWS = 20  # schedules are drawn, those that change first
DAYS = 7
_ROW, _TOP, _LEFT = 34, 22, 4
_DAY = (svg.WIDTH - 2 * _LEFT) / DAYS
_SECONDS = 86_400
_APART = 0.6  # units: strokes nearer than that are one


def draw(review: Review) -> list[Picture]:
    """The strip; none without a schedule, or where nobody knows when the preview was."""
    if not review.at:
        return []
    begin = moments.epoch(review.at)
    changing = sorted(review.planned, key=lambda one: one.before is None and one.times is not None)
    rows = [one for one in changing if _any(one)][:ROWS]
    if not rows or not review.decisions.schedules:
        return []
    height = _TOP + len(rows) * _ROW
    elements = [part for day in range(DAYS) for part in _day(begin, day, height)]
    for nth, one in enumerate(rows):
        elements += _row(one, _TOP + nth * _ROW, begin)
    words = ". ".join(f"{one.app}/{one.task}: {_words(one)}" for one in rows)
    left = sum(map(_any, changing)) - len(rows)
    title = "The seven days after the preview, in UTC" + (f"; {left} more schedules are not drawn" if left else "")
    return [Picture(cell(title), svg.picture(f"{title}. {words}", height + 2, elements))]


def _any(one: Planned) -> bool:
    return any(times and times.schedule for times in (one.times, one.before))


def _day(begin: int, day: int, height: float) -> list[str]:
    midnight = begin - begin % _SECONDS + (day + 1) * _SECONDS
    x = _LEFT + (midnight - begin) / _SECONDS * _DAY
    if x > svg.WIDTH - _LEFT:
        return []
    label = svg.text(x + 3, 12, moments.of_epoch(midnight)[5:10], "soft") if x < svg.WIDTH - 36 else ""
    return [svg.line(x, 2, x, height, "axis"), label]


def _row(one: Planned, top: float, begin: int) -> list[str]:
    found = [svg.text(_LEFT, top + 12, f"{one.app}/{one.task}", "name")]
    if one.before:
        found += [svg.rect(x - 1.5, top + 17, 3, 12, "open") for x in _places(one.before, begin)]
    if one.times:
        found += [svg.rect(x - 1, top + 17, 2, 12, "mark") for x in _places(one.times, begin)]
    return found


def _places(of: Times, begin: int) -> list[float]:
    """Where the strokes are; a schedule of every minute is a bar, not ten thousand strokes."""
    found: list[float] = []
    if of.suspended:
        return found
    for moment in times(of.schedule, of.time_zone, moments.of_epoch(begin), most=20_000):
        x = _LEFT + (moment - begin) / _SECONDS * _DAY
        if not found or x - found[-1] >= _APART:
            found.append(x)
    return found


def _words(one: Planned) -> str:
    before, after = (_schedule(times) for times in (one.before, one.times))
    return f"{after} instead of {before}" if one.before else after


def _schedule(times: Times | None) -> str:
    if times is None:
        return "none"
    return f"{times.schedule or 'by hand'} in {times.time_zone}{', suspended' if times.suspended else ''}"
