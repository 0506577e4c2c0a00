"""The last runs of each App that an update touches: how long each took, as a bar, and how it ended, as its shape."""

from __future__ import annotations

from math import sqrt

from ... import moments
from ...quantities import age_text
from ..document import Foreign, Picture, cell
from ..model import Past, Ran, Review
from . import svg

ROWS = 12  # tasks of one App are drawn, the longest that anybody looks at
_HEIGHT, _BAR, _SLOT, _LEFT = 56, 24, 17, 4


def draw(review: Review) -> list[Picture]:
    """One picture for each App of which something runs, goes or is scheduled anew."""
    decided = review.decisions
    touched = {(one.namespace, one.app) for one in decided.starts}
    touched |= {(one.namespace, one.app) for one in decided.deletions}
    touched |= {(one.namespace, one.app) for one in decided.schedules}
    by_app: dict[tuple[str | None, str], list[Ran]] = {}
    for one in review.ran:
        by_app.setdefault((one.namespace, one.app), []).append(one)
    return [_app(place[1], tasks) for place, tasks in by_app.items() if place in touched]


def _app(app: str, tasks: list[Ran]) -> Picture:
    shown = tasks[:ROWS]
    longest = max((_seconds(one) or 0 for task in shown for one in task.last), default=0)
    elements = [part for nth, task in enumerate(shown) for part in _row(task, nth * _HEIGHT, longest)]
    height = len(shown) * _HEIGHT
    if len(tasks) > ROWS:
        elements.append(svg.text(_LEFT, height + 12, f"and {len(tasks) - ROWS} more tasks", "soft"))
        height += 18
    words = ". ".join(f"{task.task}: {_words(task)}" for task in shown)
    return Picture(cell(Foreign(app)), svg.picture(f"Last runs of {app}. {words}", height + 4, elements))


def _row(task: Ran, top: float, longest: float) -> list[str]:
    """The name above, the bars below it, the latest one to the right, and what is to be said of it beside them."""
    found = [svg.text(_LEFT, top + 13, task.task, "name")]
    base = top + 22 + _BAR
    for nth, one in enumerate(task.last):
        x = _LEFT + nth * _SLOT
        seconds = _seconds(one)
        height = max(4, _BAR * sqrt(seconds / longest)) if seconds and longest else 4
        title = f"{one.run}: {one.outcome or 'still running'}, {one.created}"
        title += f", {age_text(int(seconds))}" if seconds is not None else ""
        if one.outcome == "Succeeded":
            found.append(svg.rect(x, base - height, 12, height, "good", title))
        elif one.outcome:
            found.append(svg.rect(x, base - height, 12, height, "bad", title))
            found.append(svg.cross(x + 6, base - height - 5, 3, "bad-line", title))
        else:
            found.append(svg.rect(x + 0.5, base - height, 11, height, "open", title))
    last = task.last[-1]
    seconds = _seconds(last)
    took = f" · {age_text(int(seconds))}" if seconds is not None else ""
    found.append(svg.line(_LEFT, base + 0.5, _LEFT + 10 * _SLOT - 5, base + 0.5, "axis"))
    found.append(svg.text(svg.WIDTH - 4, base - 1, f"{last.created[:16].replace('T', ' ')}{took}", "soft", "end"))
    return found


def _words(task: Ran) -> str:
    ends = [one.outcome or "still running" for one in task.last]
    return f"{ends.count('Succeeded')} of {len(ends)} succeeded, the last one {ends[-1]}"


def _seconds(one: Past) -> float | None:
    return moments.seconds_between(one.started, one.finished)
