"""Decides whether a task will run, and says why: what a reviewer reads in the preview.

Runs in every preview and update, before anything is changed, so bad input and refusals end the
update here. What it decided becomes inputs of the Run (`core.state.Decision`).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from pulumi.dynamic import CheckFailure
from pulumi.output import Unknown, contains_unknowns

from ..cluster.connection import Connection
from ..core import advice
from ..core.build.spec import BUILD, Upload, sent
from ..core.changes import changes
from ..core.definition import ALWAYS, PARTS, changed_lines, deciding, explain
from ..core.definition import key as key_of
from ..core.difference import MOST
from ..core.errors import InvalidInput
from ..core.marks import KEY, OUTCOME, STACK, TASK
from ..core.naming import run_name
from ..core.retention import notice
from ..core.run.attempts import STORED, adoptable, attempts, is_recorded
from ..core.run.outcome import HELD
from ..core.run.pipelinerun import instantiate
from ..core.run.summary import RunSummary
from ..core.state import MAY, WILL, CalendarInputs, Decision, HistoryInputs, RunInputs, Which
from ..errors import ClusterError, Denied, NotFound, Unreachable
from ..registry.upload import lacking
from ..runs.pruning import expire
from . import adapter, approving, references
from .preview import Preview
from .recording import mark_recorded
from .survey import Survey

T = TypeVar("T", Which, HistoryInputs)
NOTHING = ": nothing runs"
_UNKNOWN = Unknown()  # type: ignore[no-untyped-call]


def check(preview: Preview, olds: RunInputs | None, inputs: RunInputs) -> tuple[Decision | None, list[CheckFailure]]:
    """Decides whether the task will run and says why; with what is wrong, if anything is."""
    which, fingerprint = inputs.which, _fingerprint(inputs.definition)
    known = preview.decided.get(which)
    if not olds and known and known[0] == fingerprint:
        return known[1], []  # the second check of a replacement, which is not given the old inputs
    connection, seen = preview.look(inputs.connection, which.namespace)
    refusal = refuse(preview, which, olds.which if olds else None, seen, inputs.preview)
    if refusal:
        return None, [CheckFailure("", refusal)]
    _note(preview, olds, inputs, seen)
    decided = _decided(preview, olds, inputs, seen)
    if decided.starts == WILL and not inputs.preview and not seen.exists:
        return None, [CheckFailure("", f"{which}: nothing was started: {missing(which.namespace)}")]
    place = which.namespace if decided.starts or not olds else _place(olds)
    decided = replace(decided, cluster=seen.cluster or _old(olds).cluster, place=place)
    refusal = _approved(preview, inputs, decided, seen, connection)
    if refusal:
        return decided, [CheckFailure("", refusal)]
    preview.decided[which] = fingerprint, decided
    if decided.starts and inputs.preview:
        decided = _with_retention(preview, inputs, seen, decided)
        preview.decided[which] = fingerprint, decided
        for line in decided.lets_go if adapter.in_plugin() else ():  # History was asked before it
            preview.say(inputs.urn, line)
    if olds:
        say_changes(preview, olds, inputs, "" if decided.starts else NOTHING)
    if connection and seen.exists and not seen.unasked and not contains_unknowns(inputs.manifest):
        if not olds or inputs.manifest != olds.manifest:
            refusal = dry_run(preview, connection, inputs)
        if inputs.preview and decided.starts:
            references.say(preview, connection, inputs)
        if not inputs.preview and olds and olds.decision.key and olds.wait:
            _mark_recorded(preview, connection, inputs, olds.decision.key, seen)
    return decided, [CheckFailure("", refusal)] if refusal else []


def _approved(
    preview: Preview, inputs: RunInputs, decided: Decision, seen: Survey, connection: Connection | None
) -> str:
    """Why an approval that the update is held to does not let this happen; empty if it does, or without one."""
    which = inputs.which
    try:
        approval = approving.held_to(preview, inputs, which.stack, seen, connection)
    except InvalidInput as error:
        return str(error)
    return approval.start(which, decided, own_runs(preview, which, seen)) if approval else ""


def _decided(preview: Preview, olds: RunInputs | None, inputs: RunInputs, seen: Survey) -> Decision:
    """What becomes of the task in this update; what a reviewer is to know of it is said."""
    before, verb = _old(olds), _verb(inputs.when)
    say = functools.partial(preview.say, inputs.urn)
    unknown = [part for part in deciding(inputs.when) if contains_unknowns(inputs.definition[part])]
    if inputs.terminated:
        decided = _hold(preview, olds, inputs, seen)
        if decided.cancels:
            say(f"will cancel {', '.join(decided.cancels)}: terminated is set")
        elif unknown or _decide(preview, olds, inputs, seen).key != before.key:
            say("held back: terminated is set")
        return decided
    if unknown:
        words = " and ".join(PARTS.get(part, part) for part in unknown)
        because = (
            f"{words} {'is' if len(unknown) == 1 and not words.endswith('s') else 'are'} known only during the update"
        )
        say(f"may {verb}: {because}")
        _say_upload(preview, inputs)
        return Decision(_UNKNOWN, MAY, because, before.nth)
    decided = _decide(preview, olds, inputs, seen)
    if decided.starts:
        say(f"will {verb}: {decided.because}")
        for line in _changed_lines(olds, inputs):
            say(line)
        _say_upload(preview, inputs)
    else:
        _say_elsewhere(say, olds, inputs, seen)
    return decided


def _decide(preview: Preview, olds: RunInputs | None, inputs: RunInputs, seen: Survey) -> Decision:
    which, definition, when, before = inputs.which, inputs.definition, inputs.when, _old(olds)
    nth = before.nth + (1 if olds and when == ALWAYS else 0)
    key = key_of(definition, when, nth)
    own = own_runs(preview, which, seen)
    same = attempts(own, key)
    again = bool(same and same[-1].failed and OUTCOME in same[-1].annotations and inputs.must_succeed)
    if before.key == key and not again:
        return Decision(key, nth=nth)
    found = adoptable(own, key, late=inputs.late)
    if found:
        state = "has ended" if found.finished else "is still running"
        because = f"adopts run {found.name}, which {state} and is not recorded yet"
        if not olds:  # Pulumi hides the state from us where it was told to replace
            because += "; if --replace asked for another one, let a plain pulumi up record this one before"
    elif same and same[-1].failed:
        last = same[-1]
        because = f"the last attempt failed: run {last.name}, {last.annotations.get(OUTCOME) or last.reason}"
    elif olds and olds.definition and not contains_unknowns(olds.definition):
        because = explain(olds.definition, definition, when)
        because = because or _without_change(olds, when)
    elif same:
        because = f"the state has no record of it, or a new run was asked for (run {same[-1].name} is not adopted)"
    else:
        because = _without_record(preview, which, key, seen) or f"first {_verb(when)}"
    return Decision(key, WILL, because, nth, again, adopts=bool(found))


def _without_record(preview: Preview, which: Which, key: str, seen: Survey) -> str:
    """Why a task is run that has run before, although the state has no record of it; empty if it has not."""
    earlier = own_runs(preview, which, seen)
    if earlier:
        last = max(earlier, key=lambda run: run.created)
        return f"the state has no record of it, or a new run was asked for (run {last.name} has run something else)"
    own = preview.own_labels(which.place, which.stack)
    of_stack = (run for run in seen.of(which.app) if run.labels.get(STACK) in own)
    same = {run.labels.get(TASK, "") for run in of_stack if run.labels.get(KEY) == key}
    for other in sorted(same - {one.task for one in preview.decided}):
        alias = adapter.alias_option(f"{which.app}-{other}")
        return f"first run of this name; if it is task {other!r} renamed, {alias} keeps its record, and nothing runs"
    return ""


def _old(olds: RunInputs | None) -> Decision:
    return olds.decision if olds else Decision()


def _without_change(olds: RunInputs, when: str) -> str:
    if olds.terminated:
        return "it was held back until now"
    return f"when is {when!r}" if when == ALWAYS else f"when changed to {when!r}"


def _hold(preview: Preview, olds: RunInputs | None, inputs: RunInputs, seen: Survey) -> Decision:
    """Nothing runs while `terminated` is set: the key stays that of the last record, or of none."""
    which, before = inputs.which, _old(olds)
    running = tuple(run.name for run in own_runs(preview, which, seen) if not run.finished)
    return Decision(before.key or HELD, nth=before.nth, cancels=running)


def _place(olds: RunInputs) -> str:
    """The namespace that the record is of; an App may have moved twice since then."""
    return olds.decision.place or olds.which.namespace


def _say_elsewhere(say: Callable[[str], None], olds: RunInputs | None, inputs: RunInputs, seen: Survey) -> None:
    """A record goes with its task to another place, where nothing has run: said in the update that moves it."""
    if not olds:
        return
    before, now, of = olds.which.namespace, inputs.which.namespace, _place(olds)
    if not contains_unknowns([before, now, of]) and now not in (before, of):
        place, record = f"namespace {now!r}", f"namespace {of!r}"
    elif olds.decision.cluster and seen.cluster and olds.decision.cluster != seen.cluster:
        place, record = "this cluster", "another one"
    else:
        return
    again = advice.again(inputs.which.app, inputs.which.task)
    say(f"nothing runs in {place} by itself: the record is of {record}. To run it here: {again}")


def _changed_lines(olds: RunInputs | None, inputs: RunInputs) -> list[str]:
    """The lines of a command that differ, if that is why it runs."""
    if not olds or not olds.definition or contains_unknowns(olds.definition) or "argv" not in deciding(inputs.when):
        return []
    return changed_lines(olds.definition, inputs.definition)


def say_changes(preview: Preview, before: RunInputs, after: RunInputs, effect: str) -> None:
    """What changes about a task beside what decides, and to what effect: what many tasks of an App share once."""
    if after.when == BUILD or contains_unknowns([after.manifest, after.definition, after.layers]):
        return
    found = changes(before, replace(after, digests=None) if contains_unknowns(after.digests) else after)
    for change in found[:MOST]:
        if change.shared:
            preview.say_once(after.urn, f"{change}{effect}", about=f"{after.namespace} {after.app}")
        else:
            preview.say(after.urn, f"{change}{effect}")
        for line in change.lines:
            preview.say(after.urn, line)
    if found[MOST:]:
        preview.say(after.urn, f"… and {len(found) - MOST} more changes of its template{effect}")


def _say_upload(preview: Preview, inputs: RunInputs) -> None:
    """A source goes to a registry that others read, too: how much of what, what stays here, and whether it can go."""
    if not isinstance(inputs.upload, Upload):
        return
    for line in sent(inputs.upload.contents):
        preview.say(inputs.urn, line)
    if inputs.preview and not contains_unknowns([inputs.connection, inputs.which.namespace]):
        connection = Connection.of(inputs.connection)
        missing = lacking(lambda: preview.cluster(connection), inputs.which.namespace, inputs.upload)
        if missing:
            preview.say(inputs.urn, missing, warning=True)


def own_runs(preview: Preview, which: Which, seen: Survey) -> list[RunSummary]:
    """The runs of a task of this stack, oldest first."""
    return seen.of_task(which.app, which.task, preview.own_labels(which.place, which.stack))


def _verb(when: str) -> str:
    return BUILD if when == BUILD else "run"


def _fingerprint(definition: Any) -> str:
    return json.dumps(definition, sort_keys=True, default=lambda unknown: "unknown")


def refuse(preview: Preview, which: Which, before: Which | None, seen: Survey, dry: bool) -> str | None:
    """Why nothing may be done here: the cluster could not be asked in an update, or another stack owns the App."""
    if seen.unasked and not (dry and isinstance(seen.unasked, (Unreachable, Denied, NotFound))):
        return f"{which}: {seen.unasked}. Nothing was started; repeat the update when the cluster answers"
    return foreign(preview, which, before, seen)


def foreign(preview: Preview, this: T, before: T | None, seen: Survey) -> str | None:
    """What is said where an App belongs to another stack.

    What the state held `before` proves that an App is this stack's, under whatever name the stack had then.
    """
    proven = [before.stack] if before and before.place == this.place else []
    owner = seen.foreign_owner(this.app, preview.own_labels(this.place, this.stack, *proven))
    if owner is None:
        return None
    return (
        f"app {this.app!r} in namespace {this.namespace!r} belongs to stack {owner!r}: choose another app_name or "
        "namespace for this stack, or destroy the other stack first. If it is this stack that had that name, run one "
        "update without what is new in the program"
    )


def missing(namespace: str) -> str:
    """What is said in an update, whose namespaces are made before, and of a namespace that the state knows."""
    return f"namespace {namespace!r} is gone, and its runs are lost: pulumi up --refresh makes it anew"


def warn_missing(preview: Preview, of: RunInputs | HistoryInputs, before: RunInputs | HistoryInputs | None) -> bool:
    """Says that a namespace is gone in which the state has something, if so: a plain update does not see that."""
    gone = before is not None and before.namespace == of.namespace
    if gone:
        preview.say_once(of.urn, missing(of.namespace), about=of.namespace, warning=True)
    return gone


def _with_retention(preview: Preview, inputs: RunInputs, seen: Survey, decided: Decision) -> Decision:
    """What goes when this run has ended, and those that were decided before it: a Run lets go what is too much.

    History says it of all of them together, but for an update that leaves it out (`--target`).
    """
    which, existing = inputs.which, seen.of(inputs.which.app)
    adding, perhaps = preview.adding(which.namespace, which.app)
    if inputs.policy.has_room(len(existing) + adding + perhaps):
        return decided
    return replace(
        decided,
        expired=tuple(run.name for run in expire(existing, seen.now, inputs.policy, adding)),
        lets_go=tuple(notice.lines(existing, inputs.policy, adding, perhaps, seen.now)),
    )


def _note(preview: Preview, olds: RunInputs | None, inputs: RunInputs, seen: Survey) -> None:
    if not seen.exists and warn_missing(preview, inputs, olds):
        return
    text = unasked(inputs, seen) if seen.exists or inputs.preview else ""  # an update has made it, or starts nothing
    namespace = "" if contains_unknowns(inputs.which.namespace) else inputs.which.namespace
    if text:
        preview.say_once(inputs.urn, text, about=f"{namespace} {inputs.which.stack}")


def unasked(inputs: RunInputs, seen: Survey) -> str:
    """Why a preview does not know what the cluster says; empty where it does."""
    later = "is known only during the update: runs in it and admission were not asked for"
    if contains_unknowns(inputs.which.namespace):
        return f"the namespace {later}"
    if contains_unknowns(inputs.connection):
        return f"the cluster {later}"
    if seen.unasked:
        return f"this preview could not ask the cluster: {seen.unasked}. Shown is what the state tells"
    if not seen.exists:
        return f"namespace {inputs.which.namespace!r} is not there yet: admission was not asked for"
    return ""


def dry_run(preview: Preview, connection: Connection, inputs: RunInputs | CalendarInputs) -> str | None:
    """Why the cluster would not admit the run, in its own words; what may not be asked in a preview is said."""
    which, key = inputs.which, "dry-run"
    name = run_name(which.app.replace(".", "-"), which.task, key, 0)  # no run has it: attempts begin with 1
    trial = instantiate(inputs.manifest, name=name, key=key, task_id=0, attempt=0, started_by="preview")
    try:
        preview.cluster(connection).create_run(trial, dry_run=True)
    except (Denied, NotFound, Unreachable) as error:
        if not inputs.preview and isinstance(error, Unreachable):
            return None  # a webhook that starts, for example: the submission asks again, for a while
        if not inputs.preview:
            return f"{which}: {error}"
        text = f"admission was not asked for: {error}"
        preview.unadmitted[which.namespace] = text
        preview.say_once(inputs.urn, text, about=f"dry run {which.namespace}")
    except ClusterError as error:
        return f"{which} would not be admitted: {error}"
    return None


def _mark_recorded(preview: Preview, connection: Connection, inputs: RunInputs, key: str, seen: Survey) -> None:
    """The state holds the record of what an earlier update has waited for."""
    which = inputs.which
    for run in attempts(own_runs(preview, which, seen), key)[-1:]:
        if run.finished and not run.failed and not is_recorded(run):
            mark_recorded(preview.cluster(connection), which.namespace, run.name, STORED, run.uid)
