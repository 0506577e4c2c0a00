"""What retention lets go, on a time line of each App: a filled dot stays, a cross goes, a hollow dot may go."""

from __future__ import annotations

from ... import moments
from ..document import Foreign, Picture, cell
from ..model import Deletion, Review
from . import svg

_LEFT, _RIGHT, _AXIS, _HEIGHT = 8, svg.WIDTH - 8, 30, 62
_STAYS, _GOES, _MAY = "stays", "goes", "may go"


def draw(review: Review) -> list[Picture]:
    """One picture for each App that lets runs go of which is known when they were made."""
    return [picture for place in _places(review) if (picture := _app(review, *place)) is not None]


def _places(review: Review) -> list[tuple[str | None, str]]:
    apps = {(one.namespace, one.app) for one in review.decisions.deletions if one.created}
    return sorted(apps, key=lambda place: (place[0] or "", place[1]))


def _app(review: Review, namespace: str | None, app: str) -> Picture | None:
    going = {one.run: one for one in review.decisions.deletions if (one.namespace, one.app) == (namespace, app)}
    kept = [one for ran in review.ran if (ran.namespace, ran.app) == (namespace, app) for one in ran.last]
    made = {one.run: one.created for one in kept} | {name: one.created or "" for name, one in going.items()}
    runs = sorted((moments.epoch(created), name) for name, created in made.items() if created)
    return _line(app, runs, going, moments.epoch(review.at) if review.at else None) if runs else None


def _line(app: str, runs: list[tuple[int, str]], going: dict[str, Deletion], now: int | None) -> Picture:
    first, last = runs[0][0], max(runs[-1][0], now or 0)
    span = max(last - first, 1)
    elements = [svg.line(_LEFT, _AXIS, _RIGHT, _AXIS, "axis")]
    counts = {_STAYS: 0, _GOES: 0, _MAY: 0}
    for moment, name in runs:
        x = _LEFT + 4 + (moment - first) / span * (_RIGHT - _LEFT - 8)
        fate = _fate(going.get(name))
        counts[fate] += 1
        title = f"{name}: {fate}, made {moments.of_epoch(moment)}"
        if fate == _GOES:
            elements.append(svg.cross(x, _AXIS, 5, "bad-line", title))
        else:
            elements.append(svg.circle(x, _AXIS, 4.5, "good" if fate == _STAYS else "open", title))
    elements += [
        svg.text(_LEFT, 12, "● stays   ✕ goes   ○ may go", "soft"),
        svg.text(_LEFT, _HEIGHT - 8, moments.of_epoch(first)[:16].replace("T", " "), "soft"),
        svg.text(_RIGHT, _HEIGHT - 8, moments.of_epoch(last)[:16].replace("T", " "), "soft", "end"),
    ]
    words = ", ".join(f"{fate}: {count}" for fate, count in counts.items() if count)
    return Picture(cell(Foreign(app)), svg.picture(f"Runs of {app}: {words}", _HEIGHT, elements))


def _fate(one: Deletion | None) -> str:
    return _STAYS if one is None else _GOES if one.sure else _MAY
