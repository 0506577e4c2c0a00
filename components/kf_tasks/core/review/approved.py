"""What a review has shown, as the approval of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Iterable, Optional

from .. import moments, naming
from ..approval import Approval, Place, Start, Times
from ..errors import InvalidInput
from .decisions import CALENDAR, place
from .model import Decisions, Review, Schedule
from .model import Start as Shown
from .preview import Preview, text


def approve(review: Review, preview: Preview, valid: int, now: str) -> Approval:
    """The approval of what a review shows of a preview, for `valid` seconds from when that was made.

    When that was the cluster's clock tells, else that of the machine of the preview, else `now`.

    Raises InvalidInput for a review of half an update: what comes after an error nobody has seen.
    """
    what = f"the preview of {review.project}/{review.stack}"
    if not review.whole:
        raise InvalidInput(f"{what} did not come to its end, so what the update does is not known: nothing is approved")
    refusing = sorted({one.policy for one in review.violations if one.level == "mandatory"})
    if refusing:
        raise InvalidInput(f"{what} is refused by policy {', '.join(refusing)}: nothing is approved")
    decided, begun = review.decisions, _asked(preview) or review.at or now
    expires = moments.parse(begun) + timedelta(seconds=valid)
    return Approval(
        stack=naming.stack_id(review.project, review.stack),
        approved_at=begun,
        expires_at=moments.text_of(expires),
        starts=tuple(_start(one) for one in decided.starts),
        cancels=tuple(Place(one.namespace, one.app, one.run) for one in decided.cancels),
        deletions=tuple(Place(one.namespace, one.app, one.run) for one in decided.deletions),
        removals=tuple(Place(one.namespace, one.app) for one in decided.removals),
        schedules=(*(_times(one) for one in decided.schedules), *_unchanged(preview, decided)),
        complete=preview.streamed,
    )


def _asked(preview: Preview) -> str:
    """When the cluster was asked, by its own clock; empty where it was not."""
    return min(filter(None, (text((step.new or {}).get("_asked")) for step in preview.steps)), default="")


def _start(shown: Shown) -> Start:
    last = shown.last
    newest = max((run.created for run in last or ()), default="")
    names: Optional[tuple[str, ...]] = None if last is None else tuple(run.run for run in last)
    return Start(shown.namespace, shown.app, shown.task, shown.build, shown.key, names, newest)


def _unchanged(preview: Preview, decided: Decisions) -> Iterable[Times]:
    changed = {(one.namespace, one.app, one.task) for one in decided.schedules}
    for step in preview.steps:
        if step.type == CALENDAR and step.new is not None:
            namespace, app = place(step.new)
            task, schedule, zone = (text(step.new.get(name)) for name in ("task", "schedule", "time_zone"))
            if (namespace, app, task) not in changed:
                yield Times(namespace, app, task, schedule, zone, bool(step.new.get("suspend")))


def _times(shown: Schedule) -> Times:
    after = shown.after
    if after is None:
        return Times(shown.namespace, shown.app, shown.task, None)
    return Times(shown.namespace, shown.app, shown.task, after.schedule, after.time_zone, after.suspended)
