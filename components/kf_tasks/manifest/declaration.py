"""A manifest as resources: what its author wrote for `cf push` becomes an App and its Tasks."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pulumi

from ..core.manifest import loading
from ..core.manifest.model import Application, JobEntry, TaskEntry, Told
from ..core.manifest.nodes import Text
from ..resources.app import App
from ..resources.environment import Env
from ..resources.inputs import for_people
from ..resources.notify import Heartbeat, Notify, Webhook
from ..resources.references import ConfigKey, ConfigRef, SecretKey, SecretRef
from ..resources.service import Binding, ServiceInstance
from ..resources.source import Source
from ..resources.space import Space
from ..resources.task import Task, When
from ..resources.task_schedule import UTC, Policy, TaskSchedule

BUILD_VARIABLES = "BP_"  # what buildpacks call their settings; the rest of env is for tasks alone


@for_people()
def read(path: Path, values: dict[str, Any], services: Collection[str] | None = None) -> list[Application]:
    """The applications of a manifest; its warnings are shown, its problems end the program in one error.

    `services` are the declared ones; a service that is not among them is a problem.
    """
    try:
        found = loading.load(path, values, services)
    except loading.Unusable as error:
        _tell(error)
        raise
    _tell(found)
    return found.applications


def _tell(found: loading.Manifest | loading.Unusable) -> None:
    for warning in found.warnings:
        pulumi.log.warn(warning)
    for note in found.notes:
        pulumi.log.info(note)


def provide(services: Mapping[str, Mapping[str, Any]], space: Space) -> dict[str, ServiceInstance]:
    """The services of the configuration in `space`, by name."""
    return {name: ServiceInstance(name, space=space, **given) for name, given in sorted(services.items())}


def declare(
    applications: list[Application],
    space: Space,
    services: Mapping[str, ServiceInstance] | None = None,
    folder: Path = Path(),
    private: Collection[Path] = (),
) -> dict[str, dict[str, Task]]:
    """Makes Apps with their Tasks and TaskSchedules in `space`, bound to `services`; the Tasks by App and name.

    What is built from a `path` is looked for in `folder`, where the manifest is; files that are `private`, such as
    those of variables, go into no image.
    """
    declared = {}
    for application in applications:
        bindings = [
            Binding(services[one.name], one.binding_name, one.parameters) for one in application.services if services
        ]
        app = _app(application.for_tasks, space, bindings, folder, private)
        declared[application.name] = {entry.name: _task(entry, app) for entry in application.tasks}
        for job in application.jobs:
            _job(job, app)
    return declared


def export(declared: dict[str, dict[str, Task]]) -> None:
    """One stack output for each App: run, state and exit code of each of its tasks."""
    for app, tasks in declared.items():
        results = {
            name: {"run": task.run, "state": task.state, "exit_code": task.exit_code} for name, task in tasks.items()
        }
        pulumi.export(app, results)


def _app(
    application: Application, space: Space, bindings: Sequence[Binding], folder: Path, private: Collection[Path]
) -> App:
    metadata = application.metadata
    return App(
        application.name,
        space=space,
        image=application.ready_image,
        source=None if application.ready_image else _source(application, folder, private),
        command=application.command,
        args=application.args,
        entrypoint=application.entrypoint,
        env=_all(application),
        env_from=_whole(application),
        services=bindings,
        memory=application.memory,
        disk=application.disk_quota,
        cpu=application.cpu,
        cpu_limit=application.cpu_limit,
        keep=application.keep,
        keep_failed=application.keep_failed,
        max_age=application.max_age,
        pinned=application.pinned,
        min_history=application.min_history,
        labels=metadata.labels if metadata else None,
        annotations=metadata.annotations if metadata else None,
        notify=_told(application),
    )


def _source(application: Application, folder: Path, private: Collection[Path]) -> Source:
    # Relative to the program: the same on every machine.
    path = os.path.relpath(folder / (application.path or "."))
    variables = _env(application.env) if application.builder else {}
    return Source(
        path,
        dockerfile=application.dockerfile.path if application.dockerfile else None,
        builder=application.builder,
        run_image=application.run_image,
        buildpacks=application.buildpacks or (),
        ignore=[line for file in private if (line := _line(Path(path), file))],
        build_args={name: value for name, value in variables.items() if name.startswith(BUILD_VARIABLES)},
    )


def _line(source: Path, file: Path) -> str:
    """The line of an ignore file that leaves out `file`; empty if it is not in the folder."""
    below = os.path.relpath(file, source)
    return "" if below.startswith("..") else "/" + re.sub(r"([*?\[\\ ])", r"\\\1", below)


def _task(entry: TaskEntry, app: App) -> Task:
    return Task(
        entry.name,
        app=app,
        command=entry.command,
        args=entry.args,
        env=_all(entry),
        env_from=_whole(entry),
        memory=entry.memory,
        disk=entry.disk_quota,
        cpu=entry.cpu,
        timeout=entry.timeout,
        retries=entry.retries,
        notify=_told(entry),
        triggers=entry.triggers,
        when=cast(When, entry.when),
    )


def _job(entry: JobEntry, app: App) -> TaskSchedule:
    return TaskSchedule(
        entry.name,
        app=app,
        command=entry.command,
        args=entry.args,
        schedule=entry.schedule,
        time_zone=entry.time_zone or UTC,
        concurrency_policy=cast(Policy, entry.concurrency_policy),
        suspend=entry.suspend,
        starting_deadline=entry.starting_deadline,
        catch_up=entry.catch_up,
        env=_all(entry),
        env_from=_whole(entry),
        memory=entry.memory,
        disk=entry.disk_quota,
        cpu=entry.cpu,
        timeout=entry.timeout,
        retries=entry.retries,
        notify=_told(entry),
    )


def _all(entry: Application | TaskEntry | JobEntry) -> Env:
    """The variables of an entry: texts, and keys of existing Secrets and ConfigMaps."""
    secrets = {name: SecretKey(*_pair(text)) for name, text in entry.secret_env.items()}
    settings = {name: ConfigKey(*_pair(text)) for name, text in entry.config_env.items()}
    return {**_env(entry.env), **secrets, **settings}


def _pair(text: str) -> tuple[str, str]:
    name, _, key = text.partition("/")
    return name, key


def _whole(entry: Application | TaskEntry | JobEntry) -> list[SecretRef | ConfigRef]:
    return [
        SecretRef(str(one.secret), str(one.prefix), one.optional)
        if one.secret is not None
        else ConfigRef(str(one.config_map), str(one.prefix), one.optional)
        for one in entry.env_from
    ]


def _told(entry: Application | TaskEntry | JobEntry) -> Notify | None:
    """Who is told of an entry's tasks, None where it does not say that."""
    return None if entry.notify is None else [_endpoint(one) for one in entry.notify]


def _endpoint(one: Told) -> Webhook | Heartbeat:
    given = {key: _value(text) for key in ("webhook", "heartbeat", "ca") if (text := getattr(one, key)) is not None}
    if one.heartbeat is not None:
        return Heartbeat(given["heartbeat"], ca=given.get("ca"))
    return Webhook(given["webhook"], ca=given.get("ca"), **one.model_dump(include={"on", "format"}, exclude_none=True))


def _env(variables: dict[str, str]) -> dict[str, pulumi.Input[str]]:
    """What holds a secret variable is a secret of Pulumi's, and goes to a Kubernetes Secret."""
    return {name: _value(value) for name, value in variables.items()}


def _value(text: str) -> pulumi.Input[str]:
    return pulumi.Output.secret(str(text)) if isinstance(text, Text) and text.secrets else str(text)
