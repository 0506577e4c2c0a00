"""What an update starts, ends, deletes and schedules, read from the inputs that `check` has decided.

Nothing here depends on how a line is worded: `_starts`, `_because`, `_deletions` and the like are inputs of our
resources, for policies and for this.
"""

from __future__ import annotations

import shlex
from typing import Any, Iterable, Mapping

from .. import naming
from ..build.spec import BUILD, sent
from ..state import EXPIRED
from .model import Cancel, Decisions, Deletion, Past, Removal, Schedule, Start, Times
from .overlaps import overlaps
from .preview import REPLACE, UNKNOWN, Preview, Step, items, known, mapping, moment, number, text
from .schedules import clock_changes, upcoming

RUN, HISTORY, CALENDAR = (f"pulumi-python:dynamic/kf:{name}" for name in ("Run", "History", "Calendar"))
_TOLD = "_deletions"
_FILES = 50  # of one build are named


def decide(preview: Preview) -> Decisions:
    """What people approve, of one preview."""
    runs = [step for step in preview.steps if step.type == RUN and step.new is not None]
    histories = [step for step in preview.steps if step.type == HISTORY]
    calendars = [step for step in preview.steps if step.type == CALENDAR]
    return Decisions(
        starts=tuple(sorted((_start(step) for step in runs if (step.new or {}).get("_starts")), key=_task)),
        cancels=tuple(sorted((one for step in runs for one in _cancels(step)), key=_run)),
        deletions=tuple(sorted(_all_deletions(histories, runs), key=_run)),
        removals=tuple(sorted((one for step in histories for one in _removals(step)), key=_app)),
        schedules=tuple(sorted(_schedules(calendars, preview.at), key=_task)),
    )


def place(inputs: Mapping[str, Any]) -> tuple[str | None, str]:
    """Namespace and App of one of our resources; that of a build is its App's."""
    return text(inputs.get("namespace")) or None, text(inputs.get("app")).removesuffix(naming.build_of(""))


def pasts(value: Any) -> tuple[Past, ...] | None:
    """The runs of an input; None where the cluster was not asked."""
    if not isinstance(value, list):
        return None
    return tuple(
        Past(
            run=text(one.get("run")),
            task_id=number(one.get("task_id")),
            created=moment(one.get("created")),
            started=moment(one.get("started")) or None,
            finished=moment(one.get("finished")) or None,
            outcome=text(one.get("outcome")),
        )
        for one in map(mapping, value)
    )


def _start(step: Step) -> Start:
    old, new = step.old or {}, step.new or {}
    before, after = mapping(old.get("definition")), mapping(new.get("definition"))
    namespace, app = place(new)
    build, argv = new.get("when") == BUILD, after.get("argv")
    return Start(
        namespace=namespace,
        app=app,
        task=text(new.get("task")),
        urn=text(new.get("urn")) or step.urn,
        starts=text(new.get("_starts")),
        because=text(new.get("_because")),
        key=known(new.get("key")),
        build=build,
        command=shlex.join(map(str, argv)) if isinstance(argv, list) and UNKNOWN not in argv else None,
        image=known(after.get("image")),
        image_before=known(before.get("image")),
        files=_files(before.get("files"), after.get("files")) if build else (),
        sent=_sent(new.get("upload")),
        last=pasts(new.get("_last")),
    )


def _files(before: Any, after: Any) -> tuple[str, ...]:
    old, new = mapping(before), mapping(after)
    if not old:
        return ()
    marks = {**dict.fromkeys(old, "-"), **dict.fromkeys(new, "+"), **{path: "~" for path in old if path in new}}
    return tuple(
        f"{mark} {path or 'many files'}"
        for path, mark in sorted(marks.items())
        if mark != "~" or old[path] != new[path]
    )[:_FILES]


def _sent(upload: Any) -> tuple[str, ...]:
    try:
        return tuple(sent(mapping(mapping(upload).get("contents"))))
    except (KeyError, TypeError, ValueError):  # a version that tells it in another way
        return ()


def _cancels(step: Step) -> Iterable[Cancel]:
    new = step.new or {}
    namespace, app = place(new)
    return (Cancel(namespace, app, text(new.get("task")), text(run)) for run in items(new.get("cancels")))


def _all_deletions(histories: list[Step], runs: list[Step]) -> Iterable[Deletion]:
    """What the History of each App says goes; of an App whose History the update leaves out, what its Runs let go.

    A History of the plugin is asked before the Runs of its App, so both of them say it, and what the last one is sure
    of another one was not.
    """
    asked = [step for step in histories if _TOLD in (step.new or {}) or items((step.new or {}).get(EXPIRED))]
    telling = [*asked, *(step for step in runs if _TOLD in (step.new or {}))]
    found = sorted((one for step in telling for one in _deletions(step)), key=lambda one: one.sure)
    named = {(one.namespace, one.app, one.run): one for one in found}
    yield from named.values()
    told = {place(step.new or {}) for step in asked if not step.of_plugin}
    let_go = {(*place(step.new or {}), text(run)) for step in runs for run in items((step.new or {}).get(EXPIRED))}
    yield from (Deletion(*one) for one in let_go - named.keys() if one[:2] not in told)


def _deletions(step: Step) -> Iterable[Deletion]:
    new = step.new or {}
    namespace, app = place(new)
    told = [mapping(one) for one in items(new.get(_TOLD))]
    if not told:
        return [Deletion(namespace, app, text(run)) for run in items(new.get(EXPIRED))]
    return [
        Deletion(
            namespace,
            app,
            text(one.get("run")),
            sure=bool(one.get("sure")),
            rule=text(one.get("rule")),
            task=text(one.get("task")),
            created=moment(one.get("created")) or None,
            outcome=text(one.get("outcome")),
        )
        for one in told
    ]


def _removals(step: Step) -> Iterable[Removal]:
    if step.new is not None and step.op != REPLACE:
        return []
    return [Removal(*place(step.old or {}), kept=step.retained)]


def _schedules(steps: list[Step], at: str) -> Iterable[Schedule]:
    after = [step.new for step in steps if step.new is not None]
    for step in steps:
        old, new = step.old, step.new
        asked = moment((new or {}).get("_asked")) or at
        before, now = (times(inputs, asked) if inputs is not None else None for inputs in (old, new))
        if before == now:
            continue
        inputs = new if new is not None else old or {}
        yield Schedule(
            *place(inputs),
            text(inputs.get("task")),
            before,
            now,
            clock_changes(now, asked) if now else (),
            overlaps(inputs, after, asked) if now else (),
        )


def times(inputs: Mapping[str, Any], at: str) -> Times:
    """The schedule of a Calendar's inputs, and its next times from `at` on."""
    schedule, zone = text(inputs.get("schedule")), text(inputs.get("time_zone"))
    suspended = bool(inputs.get("suspend"))
    return Times(schedule, zone, suspended, upcoming(schedule, zone, at) if not suspended else ())


def _app(one: Any) -> tuple[str, ...]:
    return one.namespace or "", one.app


def _task(one: Any) -> tuple[str, ...]:
    return (*_app(one), one.task)


def _run(one: Any) -> tuple[str, ...]:
    return (*_app(one), one.run)
