"""What another value of each argument changes, found out under the mocks: one program has each of them changed once.

A *case* is a group of resources of its own, known by a word in all their names. What a case changes is how its group
differs from that of a case that changes nothing, but for that word.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import yaml
from kf_tasks import App, Binding, Postgres, ServiceInstance, Source, Space, Task, TaskSchedule

from ..resources import test_components
from ..resources.test_components import Registered, run

_DIGEST = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{8}\b")  # of names
_WORD = "q{:03}q"
_IN_A_WORD = re.compile(r"q\d{3}q")
_RUN, _TEMPLATE, _SECRET = "kf:Run::", "core/v1:ConfigMap::", "core/v1:Secret::"
_KEPT = ("keep", "keep_failed", "max_age", "pinned", "min_history", "log_archive")
_TIMES = ("schedule", "timeZone", "suspend", "startingDeadlineSeconds")
_TREATED = ("when", "wait", "must_succeed", "terminated", "at_most_once", "start_timeout", "log_mode")
Group = Mapping[str, Mapping[str, Any]]
Arguments = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """What is declared, and the arguments that are given to it, by the names of their classes.

    - `kind`: "Task" or "TaskSchedule" alone, in an App that all such share; else an App: a "plain" one with a task, one
      that is "bound" to a service, "built" from a source, or "scheduled"; in a Space of its own where that is given
      anything.
    - `given`: what is another value; one that the program has to make is a function, of the service of an App that is
      bound to one. `beside`: what is given before, too.
    """

    kind: str
    given: Arguments = field(default_factory=dict)
    beside: Arguments = field(default_factory=dict)

    @property
    def before(self) -> Case:
        """Without what it changes: with a Space of its own where it has one."""
        place: Arguments = {"Space": {}} if "Space" in self.given else {}
        return Case(self.kind, {**place, **self.beside})

    @property
    def all(self) -> Arguments:
        """All arguments that are given."""
        names = {*self.beside, *self.given}
        return {name: {**self.beside.get(name, {}), **self.given.get(name, {})} for name in names}


class Cluster(test_components.Cluster):
    """Answers as one where builds have succeeded, and services are provided."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        id_, found = super().new_resource(args)
        if args.typ == "pulumi-python:dynamic/kf:Run":
            processes = '{"types": ["web"], "default": "web"}'
            found["results"] = {"digest": f"sha256:{'1' * 64}", "processes": processes}
        if args.typ == "kubernetes:a.com/v1:A":
            found["status"] = {"binding": {"name": "made"}}
        return id_, found


def effects(cases: Sequence[Case]) -> list[str]:
    """What each case changes, in words of the page's head."""
    groups = _groups([*cases, *(case.before for case in cases)])
    return [_between(groups[len(cases) + nth], groups[nth]) for nth in range(len(cases))]


def _groups(cases: Sequence[Case]) -> list[Group]:
    """The resources of each case by their names, which have lost what tells one case from another; equal ones once."""
    different: list[Case] = []
    for case in cases:
        if case not in different:
            different.append(case)

    def program() -> None:
        space = Space("dev", **_PLACE)
        app = App("shop", space=space, **_APP)
        for nth, case in enumerate(different):
            _declare(_WORD.format(nth), case, space, app)

    # Templates are only compared, and JSON is written in a tenth of the time.
    with (
        _sources(),
        mock.patch.object(test_components, "Cluster", Cluster),
        mock.patch.object(yaml, "safe_dump", _json),
    ):
        found = _by_word(run(program))
    return [found[_WORD.format(different.index(case))] for case in cases]


_PLACE: dict[str, Any] = {"registry": "registry.example.com/team"}
_APP: dict[str, Any] = {"image": "shop:1", "command": ["serve"]}


def _json(data: object, **_: object) -> str:
    return json.dumps(data)


def _declare(word: str, case: Case, space: Space, app: App) -> None:
    given = case.all
    if case.kind == "Task":
        Task(word, app=app, **given.get("Task", {}))
        return
    if case.kind == "TaskSchedule":
        TaskSchedule(word, **{"app": app, "schedule": "0 3 * * *", **given.get("TaskSchedule", {})})
        return
    if "Space" in given:
        space = Space(word, **{**_PLACE, **given["Space"]})
    more: dict[str, Any] = {}
    service = None
    if case.kind == "bound":
        own = _made(given.get("ServiceInstance", {}), None)
        if not own.keys() & {"credentials", "secret", "resource"}:
            own = {"credentials": Postgres(**{"uri": "postgres://db/shop", **given.get("Postgres", {})}), **own}
        service = ServiceInstance(f"{word}-db", space=space, **own)
        more = {"services": [Binding(service, **given.get("Binding", {}))]}
    elif case.kind == "built":
        more = {"image": None, "source": Source(**{"path": "src", **given.get("Source", {})})}
    app = App(word, **{"space": space, **_APP, **more, **_made(given.get("App", {}), service)})
    if case.kind == "plain":
        Task("t", app=app)
    elif case.kind == "scheduled":
        TaskSchedule("n", app=app, schedule="0 3 * * *")


def _made(given: Mapping[str, Any], service: ServiceInstance | None) -> dict[str, Any]:
    return {name: value(service) if callable(value) else value for name, value in given.items()}


@contextmanager
def _sources() -> Iterator[None]:
    """A folder with what the cases build, as the one of the program."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("src", "other"):
            (Path(folder) / name).mkdir()
            for file in ("Dockerfile", "Other"):
                (Path(folder) / name / file).write_text(f"FROM scratch AS {name}\n")
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def _by_word(registered: Registered) -> dict[str, dict[str, Mapping[str, Any]]]:
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for urn, inputs in registered.inputs.items():
        for word in set(_IN_A_WORD.findall(urn)):
            plain = _DIGEST.sub("digest", _IN_A_WORD.sub("q", json.dumps(inputs, default=str)))
            found.setdefault(word, {})[urn.replace(word, "q")] = json.loads(plain)
    return found


def _between(old: Group, new: Group) -> str:
    def differ(kind: str, *paths: Sequence[str], build: bool = False) -> bool:
        return any(_of(old, kind, path, build) != _of(new, kind, path, build) for path in paths)

    told: list[tuple[str, Callable[[], bool]]] = [
        ("run", lambda: differ(_RUN, ["definition"])),
        ("image", lambda: differ(_RUN, ["definition"], build=True)),
        ("retention", lambda: differ("kf:History::", *([name] for name in _KEPT))),
        ("schedule", lambda: differ("CronJob::", *(["spec", name] for name in _TIMES))),
        ("update", lambda: differ(_RUN, *([name] for name in _TREATED))),
        ("who is told", lambda: _notified(old) != _notified(new)),
    ]
    found = [word for word, differs in told if differs()]
    if "run" not in found and differ(_TEMPLATE, ["data", "pipelinerun.yaml"]):
        found.insert(0, "template")
    if "image" not in found and differ(_RUN, ["manifest"], build=True):
        found.append("build")
    settings = ["data", "settings.json"]
    if not found and differ(_SECRET, ["stringData"]):
        found.append("values")
    if not found and (differ(_TEMPLATE, settings) or differ("CronJob::", ["spec"])):
        found.append("schedule")
    if not found and _beside_components(old) != _beside_components(new):
        found.append("cluster")
    return ", ".join(found) or "nothing by itself"


def _of(group: Group, kind: str, path: Sequence[str], build: bool) -> list[Any]:
    """What stands there in all resources of a kind: in those of builds, or of tasks."""
    found = []
    for urn in sorted(group):
        if kind in urn and urn.endswith(".build") is build:
            value: Any = group[urn]
            for name in path:
                value = (value or {}).get(name)
            found.append(value)
    return found


def _beside_components(group: Group) -> dict[str, Any]:
    return {urn: inputs for urn, inputs in group.items() if not urn.split("$")[-1].startswith("kf:index:")}


def _notified(group: Group) -> list[Any]:
    return [inputs for urn, inputs in sorted(group.items()) if _SECRET in urn and urn.endswith(".notify")]
