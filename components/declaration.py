"""A manifest as resources: what its author wrote for `cf push` becomes an App and its Tasks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pulumi

from .app import App
from .core import manifest
from .core.errors import InvalidInput
from .core.manifest import Application, TaskEntry
from .inputs import checked
from .space import Space
from .task import Task


def variables(config: pulumi.Config) -> dict[str, Any]:
    """The values of the manifest's `((names))`: the map `vars` of the configuration, and `registry`.

    `registry` is the configuration's, else the environment's SANDBOX_REGISTRY: it differs from
    machine to machine, not from stack to stack.
    """
    if pulumi.runtime.is_config_secret(config.full_key("vars")):
        checked(lambda: _refuse_secret(config.full_key("vars")))
    given = config.get_object("vars") or {}
    if not isinstance(given, dict):
        checked(lambda: _refuse_shape(config.full_key("vars")))
    registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
    return {**({"registry": registry} if registry else {}), **given}


def read(path: Path, values: dict[str, Any]) -> list[Application]:
    """The applications of a manifest; its warnings are shown, its problems end the program in one error."""
    found = checked(lambda: manifest.load(path, values))
    for warning in found.warnings:
        pulumi.log.warn(warning)
    return found.applications


def declare(applications: list[Application], space: Space) -> dict[str, dict[str, Task]]:
    """Makes Apps and Tasks in `space`; the Tasks by App and name."""
    declared = {}
    for application in applications:
        app = _app(application, space)
        declared[application.name] = {entry.name: _task(entry, app) for entry in application.tasks}
    return declared


def export(declared: dict[str, dict[str, Task]]) -> None:
    """One stack output for each App: run, state and exit code of each of its tasks."""
    for app, tasks in declared.items():
        results = {
            name: {"run": task.run, "state": task.state, "exit_code": task.exit_code} for name, task in tasks.items()
        }
        pulumi.export(app, results)


def _app(application: Application, space: Space) -> App:
    return App(
        application.name,
        space=space,
        image=application.ready_image,
        command=application.command,
        args=application.args,
        entrypoint=application.entrypoint,
        env=application.env,
        memory=application.memory,
        disk=application.disk_quota,
        cpu=application.cpu,
        keep=application.keep,
    )


def _task(entry: TaskEntry, app: App) -> Task:
    return Task(
        entry.name,
        app=app,
        command=entry.command,
        args=entry.args,
        env=entry.env,
        memory=entry.memory,
        disk=entry.disk_quota,
        cpu=entry.cpu,
        timeout=entry.timeout,
        retries=entry.retries,
        triggers=entry.triggers,
        when=entry.when,
    )


def _refuse_secret(key: str) -> None:
    raise InvalidInput(
        f"{key} holds a secret, but what a manifest says is written into PipelineRuns, where it can be read: "
        "declare the application in Python and pass the secret with env=…"
    )


def _refuse_shape(key: str) -> None:
    raise InvalidInput(f"{key} is no map: set its values with 'pulumi config set --path {key}.NAME VALUE'")
