"""What differs for the tasks of an App, each thing said once for all of them, instead of a hunk in every template."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from .. import marks
from ..template import SETTINGS
from .decisions import CALENDAR, RUN, place
from .facts import ENVIRONMENT, OTHER, Facts, Variable, facts
from .model import Change, Start
from .preview import Preview, Step, mapping, text
from .secret_values import secret_values

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
_KINDS = {ENVIRONMENT: 0, "resources": 1, "security": 2, OTHER: 3}
_SETTINGS = {"policy": "concurrency policy", "catch_up": "catch up", "log_archive": "log archive"}
_App = "tuple[str | None, str]"


@dataclass(frozen=True)
class _Task:
    """One task, before and after."""

    namespace: str | None
    app: str
    task: str
    before: Facts
    after: Facts
    settings: tuple[Mapping[str, Any], Mapping[str, Any]]


def differences(preview: Preview, starts: Iterable[Start]) -> tuple[Change, ...]:
    """What differs for tasks that were there before; `starts` say which commands are told of elsewhere."""
    told = {(one.namespace, one.app, one.task) for one in starts}
    tasks = [task for task in _tasks(preview) if task]
    of_app: dict[tuple[str | None, str], set[str]] = {}
    found: dict[tuple[Any, ...], list[str]] = {}
    for task in tasks:
        of_app.setdefault((task.namespace, task.app), set()).add(task.task)
        for one in _compared(task, (task.namespace, task.app, task.task) in told):
            found.setdefault((task.namespace, task.app, *one), []).append(task.task)
    changes = [
        Change(
            namespace, app, kind, what, before, after,
            tasks=tuple(sorted(names)),
            all_tasks=set(names) == of_app[namespace, app],
            secret=secret,
            note=note,
        )
        for (namespace, app, kind, what, before, after, secret, note), names in found.items()
    ]  # fmt: skip
    return tuple(sorted([*changes, *secret_values(preview)], key=_order))


def _tasks(preview: Preview) -> Iterable[_Task | None]:
    settings = {(*place_of(step), task_of(step)): _settings_of(step) for step in preview.steps if is_template(step)}
    for step in preview.steps:
        if step.type not in (RUN, CALENDAR) or step.old is None or step.new is None:
            continue
        namespace, app = place(step.new)
        name = text(step.new.get("task"))
        olds, news = settings.get((namespace, app, name)) or ({}, {})
        before, after = facts(step.old.get("manifest"), layers(olds)), facts(step.new.get("manifest"), layers(news))
        if before and after:
            yield _Task(namespace, app, name, before, after, (olds, news))


def _compared(task: _Task, told: bool) -> Iterable[tuple[Any, ...]]:
    """Kind, name, both texts, whether it is secret, and a note, of each thing that differs."""
    before, after = task.before.values, task.after.values
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key) and not (told and key == (OTHER, "command")):
            yield (*key, before.get(key), after.get(key), False, "")
    # Whose variables move below an env_from, or back, has them as before: there they are not seen by their names.
    moved = {*task.before.stored} ^ {*task.after.stored}
    for name in sorted({*task.before.variables, *task.after.variables}):
        was, now = task.before.variables.get(name), task.after.variables.get(name)
        one = was or now
        if (was and now) or (one and one.layer not in moved):
            yield from _variable(name, was, now)
    olds, news = task.settings
    for name, shown in _SETTINGS.items():
        if olds and news and olds.get(name) != news.get(name):
            yield OTHER, shown, *(_text(found.get(name)) for found in (olds, news)), False, ""


def _variable(name: str, before: Variable | None, after: Variable | None) -> Iterable[tuple[Any, ...]]:
    if before == after:
        return
    secret = any(one is not None and one.text is None for one in (before, after))
    was, now = (None if one is None else "secret" if one.text is None else one.text for one in (before, after))
    if secret:  # what becomes a secret was none by mistake
        was, now = ("plain" if text not in (None, "secret") else text for text in (was, now))
    note = ""
    if before and after and before.layer != after.layer:
        note = f"moved from the {_layer(before)} to the {_layer(after)}"
    elif after is None or before is None:
        one = after or before
        note = f"of the {_layer(one)}" if one and one.layer else ""
    elif was == now == "secret":
        note = f"{before.source} → {after.source}"
    yield ENVIRONMENT, name, was, now, secret, note


def _layer(of: Variable) -> str:
    return of.layer or "platform"


def place_of(step: Step) -> tuple[str | None, str]:
    """Namespace and App of an object of ours, by its labels."""
    metadata = mapping((step.new if step.new is not None else step.old or {}).get("metadata"))
    labels = mapping(metadata.get("labels"))
    return place({"namespace": metadata.get("namespace"), "app": labels.get(marks.NAME)})


def task_of(step: Step) -> str:
    """The task of a template; empty for an App's own."""
    for data in (step.new, step.old):
        found = _settings(data)
        if found:
            return text(found.get("task"))
    return ""


def is_template(step: Step) -> bool:
    """Whether a resource is a template of ours."""
    labels = mapping(mapping((step.new if step.new is not None else step.old or {}).get("metadata")).get("labels"))
    return step.type == CONFIG_MAP and marks.TEMPLATE in labels


def layers(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The layers of each variable."""
    return mapping(settings.get("layers"))


def _settings_of(step: Step) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return _settings(step.old), _settings(step.new)


def _settings(inputs: Mapping[str, Any] | None) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(text(mapping((inputs or {}).get("data")).get(SETTINGS)) or "{}"))
    except ValueError:
        return {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def _order(one: Change) -> tuple[Any, ...]:
    return one.namespace or "", one.app, _KINDS.get(one.kind, 9), one.what, one.tasks, one.note
