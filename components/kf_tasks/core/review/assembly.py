"""A preview as a review: what is decided, what differs, what else changes, and what is not known."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ..build.spec import BUILD
from .decisions import CALENDAR, HISTORY, RUN, decide, pasts, place, times
from .differences import differences, is_template
from .model import Broken, Dropped, Kept, Other, Planned, Ran, Review, Said
from .preview import SAME, UNKNOWN, Line, Preview, Step, moment, number, text
from .templates import templates

_OURS = ("kf:index:", "pulumi-python:dynamic/kf:")
_NAMED = 5  # tasks in one sentence
_NO_POLICIES = "whether policies are violated: a digest does not tell, the streamed events of a preview do"


def review(preview: Preview) -> Review:
    """What an update would do, of one preview of one stack."""
    decisions = decide(preview)
    errors = tuple(_said(line) for line in preview.lines if line.severity == "error")
    others = [step for step in preview.steps if step.op != SAME and not _told_elsewhere(step)]
    return Review(
        project=preview.project,
        stack=preview.stack,
        at=preview.at or max((moment((step.new or {}).get("_asked")) for step in preview.steps), default=""),
        whole=preview.whole and not errors,
        errors=errors,
        decisions=decisions,
        dropped=tuple(
            Dropped(*place(step.old or {}), text((step.old or {}).get("task")))
            for step in preview.steps
            if step.type == RUN and step.new is None and (step.old or {}).get("when") != BUILD
        ),
        kept=tuple(_kept(preview)),
        ran=tuple(sorted(_ran(preview), key=lambda one: (one.namespace or "", one.app, one.task))),
        planned=tuple(sorted(_planned(preview), key=lambda one: (one.namespace or "", one.app, one.task))),
        changes=differences(preview, decisions.starts),
        templates=templates(preview),
        others=tuple(sorted((_other(step) for step in others), key=lambda one: (one.type, one.name))),
        unchanged=sum(1 for step in preview.steps if step.op == SAME),
        warnings=tuple(_said(line) for line in preview.lines if line.severity == "warning"),
        notes=tuple(_said(line) for line in preview.lines if line.severity == "info" and not _is_ours(line.urn)),
        violations=tuple(
            Broken(one.pack, one.policy, one.level, *_named(one.urn), one.text) for one in preview.violations
        ),
        unknown=tuple(_unknown(preview, bool(errors))),
    )


def _kept(preview: Preview) -> Iterable[Kept]:
    for step in preview.steps:
        if step.type != HISTORY or step.new is None:
            continue
        keep, before = (inputs.get("keep") if inputs is not None else None for inputs in (step.new, step.old))
        reach = text(step.new.get("_reach"))
        if isinstance(keep, (int, float)) and before is not None and (keep != before or reach):
            yield Kept(*place(step.new), number(keep), number(before), reach)


def _ran(preview: Preview) -> Iterable[Ran]:
    for step in preview.steps:
        if step.type in (RUN, CALENDAR) and step.new is not None:
            last = pasts(step.new.get("_last"))
            if last:
                yield Ran(*place(step.new), text(step.new.get("task")), last)


def _planned(preview: Preview) -> Iterable[Planned]:
    for step in preview.steps:
        if step.type == CALENDAR:
            asked = moment((step.new or {}).get("_asked")) or preview.at
            before, after = (times(inputs, asked) if inputs is not None else None for inputs in (step.old, step.new))
            inputs = step.new if step.new is not None else step.old or {}
            yield Planned(*place(inputs), text(inputs.get("task")), after, before if before != after else None)


def _unknown(preview: Preview, failed: bool) -> Iterable[str]:
    if failed or not preview.whole:
        yield "what comes after that: the preview did not come to its end"
    yield from dict.fromkeys(filter(None, (_unasked(step) for step in preview.steps)))
    later = sorted({_task(step.new or {}) for step in _later(preview)})
    if later:
        more = f" and {len(later) - _NAMED} more" if len(later) > _NAMED else ""
        names = f"{', '.join(later[:_NAMED])}{more}"
        yield f"what differs in the templates of {names}: they are known only during the update"
    if not preview.streamed:
        yield _NO_POLICIES
    if not preview.steps and not failed:
        yield "any resource: the preview has none"


def _task(inputs: Mapping[str, Any]) -> str:
    return f"{place(inputs)[1]}/{text(inputs.get('task'))}"


def _later(preview: Preview) -> Iterable[Step]:
    """The tasks that were there before and whose template only the update knows."""
    for step in preview.steps:
        if step.type in (RUN, CALENDAR) and step.old is not None and (step.new or {}).get("manifest") == UNKNOWN:
            yield step


def _unasked(step: Step) -> str:
    return text((step.new or {}).get("_unasked")) if step.type.startswith(_OURS) else ""


def _told_elsewhere(step: Step) -> bool:
    return step.type.startswith(_OURS[1]) or is_template(step) or (_is_component(step) and step.op == "update")


def _is_component(step: Step) -> bool:
    return step.type.startswith(_OURS[0])


def _is_ours(urn: str) -> bool:
    return _named(urn)[0].startswith(_OURS)


def _other(step: Step) -> Other:
    return Other(step.op, step.type, step.name, tuple(step.paths))


def _said(line: Line) -> Said:
    return Said(*_named(line.urn), line.text)


def _named(urn: str) -> tuple[str, str]:
    step = Step("", urn, None, None)
    return (step.type, step.name) if step.type else ("", "")
