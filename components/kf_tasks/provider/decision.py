"""Decides whether a task will run, and says why: what a reviewer reads in the preview.

Runs in every preview and update, before anything is changed, so bad input and refusals end the
update here. What it decided becomes inputs of the Run (`key`, `because`, `nth`, `again`).
"""

from __future__ import annotations

import json
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult
from pulumi.output import contains_unknowns

from ..cluster.connection import Connection
from ..core import definition as definitions
from ..core import naming
from ..core.build import spec as builds
from ..core.definition import ALWAYS
from ..core.marks import OUTCOME, RECORDED
from ..core.run.outcome import HELD
from ..core.run.pipelinerun import instantiate
from ..errors import ClusterError, Denied, NotFound, Unreachable
from ..runs.submission import adoptable, attempts, unfinished
from .preview import Preview
from .survey import Survey


def check(preview: Preview, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
    """Decides whether the task will run and says why; what it decided becomes inputs (`key`, `because`, `nth`)."""
    inputs = dict(news)
    dry = bool(news.get("__preview"))
    definition, when, held = news["definition"], news["when"], bool(news.get("terminated"))
    unknown = [part for part in definitions.deciding(when) if contains_unknowns(definition[part])]
    identity = (news["stack"], news["namespace"], news["app"], news["task"])
    if not olds and identity in preview.decided and preview.decided[identity][0] == _fingerprint(definition):
        return CheckResult({**inputs, **preview.decided[identity][1]}, [])  # the second check of a replacement
    unknown_place = contains_unknowns([news["connection"], news["namespace"]])
    known = None if unknown_place else Connection.of(news["connection"])
    seen = preview.survey(known, news["namespace"]) if known else Survey()
    refusal = refuse(news, seen, dry)
    if refusal:
        return CheckResult(inputs, [CheckFailure("", refusal)])
    _note(preview, news, seen)
    if held:
        decided = _hold(olds, news, seen)
        if decided["key"] != olds.get("key"):
            preview.in_place.add((news["namespace"], news["app"], news["task"]))
        if decided["cancels"] or unknown or _decide(olds, news, seen)["key"] != olds.get("key"):
            preview.say(news["urn"], decided["because"])
    elif unknown:
        words = " and ".join(definitions.PARTS.get(part, part) for part in unknown)
        because = f"{words} {'is' if len(unknown) == 1 else 'are'} known only during the update"
        decided = {"because": because, "nth": olds.get("nth", 0), "again": False}
        preview.undecided.add((news["namespace"], news["app"], news["task"]))
        preview.say(news["urn"], f"may {_verb(when)}: {because}")
    else:
        decided = _decide(olds, news, seen)
        if decided["again"] or decided["key"] != olds.get("key"):
            preview.say(news["urn"], f"will {_verb(when)}: {decided['because']}")
        else:
            _say_elsewhere(preview, olds, news, seen)
    decided["__cluster"] = seen.cluster or olds.get("__cluster") or ""
    preview.decided[identity] = (_fingerprint(definition), decided)
    if known and seen.exists and not seen.unasked and not contains_unknowns(news["manifest"]):
        if news["manifest"] != olds.get("manifest"):
            refusal = dry_run(preview, known, news)
        if not dry and olds.get("key"):
            _mark_recorded(preview, known, news, olds["key"], seen)
    return CheckResult({**inputs, **decided}, [CheckFailure("", refusal)] if refusal else [])


def _decide(olds: dict[str, Any], news: dict[str, Any], seen: Survey) -> dict[str, Any]:

    definition, when = news["definition"], news["when"]
    nth = int(olds.get("nth", 0)) + (1 if olds and when == ALWAYS else 0)
    key = definitions.key(definition, when, nth)
    same = attempts(seen.of(news["app"]), news["app"], news["task"], key, news["stack"])
    again = bool(same and same[-1].failed and OUTCOME in same[-1].annotations and news["must_succeed"])
    if olds.get("key") == key and not again:
        return {"key": key, "nth": nth, "because": olds.get("because", ""), "again": False}
    found = adoptable(same)
    if found:
        state = "has ended" if found.finished else "is still running"
        because = f"adopts run {found.name}, which {state} and is not recorded yet"
    elif same and same[-1].failed:
        last = same[-1]
        because = f"the last attempt failed: run {last.name}, {last.annotations.get(OUTCOME) or last.reason}"
    elif olds.get("definition") and not contains_unknowns(olds["definition"]):
        because = definitions.explain(olds["definition"], definition, when)
        because = because or _without_change(olds, when)
    elif same:
        because = f"the state has no record of it, or a new run was asked for (run {same[-1].name} is not adopted)"
    else:
        because = f"first {_verb(when)}"
    return {"key": key, "nth": nth, "because": because, "again": again}


def _without_change(olds: dict[str, Any], when: str) -> str:
    if olds.get("terminated"):
        return "it was held back until now"
    return f"when is {when!r}" if when == ALWAYS else f"when changed to {when!r}"


def _hold(olds: dict[str, Any], news: dict[str, Any], seen: Survey) -> dict[str, Any]:
    """Nothing runs while `terminated` is set: the key stays that of the last record, or of none."""
    running = [run.name for run in unfinished(seen.of(news["app"]), news["app"], news["task"], news["stack"])]
    because = f"will cancel {', '.join(running)}: terminated is set" if running else "held back: terminated is set"
    key = olds.get("key") or HELD
    return {"key": key, "nth": olds.get("nth", 0), "because": because, "again": False, "cancels": running}


def _say_elsewhere(preview: Preview, olds: dict[str, Any], news: dict[str, Any], seen: Survey) -> None:
    """A record goes with its task to another place, where nothing has run: said in the update that moves it."""
    before = olds.get("namespace")
    if before and not contains_unknowns([before, news["namespace"]]) and before != news["namespace"]:
        place, record = f"namespace {news['namespace']!r}", f"namespace {before!r}"
    elif olds.get("__cluster") and seen.cluster and olds["__cluster"] != seen.cluster:
        place, record = "this cluster", "another one"
    else:
        return
    name = news["app"] if news["when"] == builds.BUILD else f"{news['app']}-{news['task']}"
    again = f"pulumi up --replace '**:Run::{name}'"
    preview.say(news["urn"], f"nothing runs in {place} by itself: the record is of {record}. To run it here: {again}")


def _verb(when: str) -> str:
    return builds.BUILD if when == builds.BUILD else "run"


def _fingerprint(definition: dict[str, Any]) -> str:
    return json.dumps(definition, sort_keys=True, default=lambda unknown: "unknown")


def refuse(news: dict[str, Any], seen: Survey, dry: bool) -> str | None:
    """Why nothing may be done here: the cluster could not be asked in an update, or another stack owns the App."""
    what = naming.words(news["app"], news["task"])
    if seen.unasked and not (dry and isinstance(seen.unasked, (Unreachable, Denied, NotFound))):
        return f"{what}: {seen.unasked}. Nothing was started; repeat the update when the cluster answers"
    other = seen.foreign_owner(news["app"], news["stack"])
    if other:
        return (
            f"app {news['app']!r} in namespace {news['namespace']!r} belongs to stack {other!r}: "
            "choose another app_name or namespace for this stack, or destroy the other stack first"
        )
    return None


def _note(preview: Preview, news: dict[str, Any], seen: Survey) -> None:
    namespace, later = news["namespace"], "is known only during the update: runs in it and admission were not asked for"
    if contains_unknowns(namespace):
        namespace, text = "", f"the namespace {later}"
    elif contains_unknowns(news["connection"]):
        text = f"the cluster {later}"
    elif seen.unasked:
        text = f"this preview could not ask the cluster: {seen.unasked}. Shown is what the state tells"
    elif not seen.exists:
        text = f"namespace {namespace!r} is created by this update: admission was not asked for"
    else:
        return
    preview.say_once(news["urn"], text, about=f"{namespace} {news['stack']}")


def dry_run(preview: Preview, connection: Connection, news: dict[str, Any]) -> str | None:
    """Why the cluster would not admit the run, in its own words; what may not be asked in a preview is said."""
    key = "dry-run"
    name = naming.run_name(news["app"].replace(".", "-"), news["task"], key, 0)  # no run has it: attempts begin with 1
    trial = instantiate(news["manifest"], name=name, key=key, task_id=0, attempt=0, started_by="preview")
    try:
        preview.cluster(connection).create_run(trial, dry_run=True)
    except (Denied, NotFound, Unreachable) as error:
        if not news.get("__preview") and isinstance(error, Unreachable):
            return None  # a webhook that starts, for example: the submission asks again, for a while
        if not news.get("__preview"):
            return f"{naming.words(news['app'], news['task'])}: {error}"
        preview.say_once(news["urn"], f"admission was not asked for: {error}", about=f"dry run {news['namespace']}")
    except ClusterError as error:
        return f"{naming.words(news['app'], news['task'])} would not be admitted: {error}"
    return None


def _mark_recorded(preview: Preview, connection: Connection, news: dict[str, Any], key: str, seen: Survey) -> None:

    for run in attempts(seen.of(news["app"]), news["app"], news["task"], key, news["stack"])[-1:]:
        if run.finished and not run.failed and RECORDED not in run.annotations:
            try:
                preview.cluster(connection).annotate_run(news["namespace"], run.name, {RECORDED: "true"}, finished=True)
            except NotFound:
                continue
