"""What a policy is about, as typed records: what is declared, what runs in this update, and what it deletes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core import quantities
from ..core.build.spec import BUILD
from ..core.errors import InvalidInput
from ..core.naming import words
from ..core.retention.policy import DEFAULT_KEEP
from .inputs import Inputs, resources

UTC = "Etc/UTC"


@dataclass(frozen=True)
class Space:
    """A Space. `log_archive` is a URL, None for no archive. `security_groups`: their names."""

    urn: str
    stack: str
    name: str
    pod_security: str | None
    log_archive: str | None
    keep: int
    max_age: int | None
    security_groups: tuple[str, ...]
    volumes: Sequence[Any] = ()
    pod_spec: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"space {self.name!r}"


@dataclass(frozen=True)
class App:
    """An App.

    - `image`: None where it is built, or not known yet; then `source` is its folder, `builder` that of buildpacks.
    - `keep` is a number of runs, `max_age` and `min_history` are spans in seconds, None for none.
    - `services`, `security_groups`, `env_names`, `secret_env_names`: names. `service_account`: None for its own.
    """

    urn: str
    stack: str
    name: str
    space: str
    image: str | None
    source: str | None
    builder: str | None
    resolve_tag: bool
    keep: int
    max_age: int | None
    min_history: int | None
    services: tuple[str, ...]
    security_groups: tuple[str, ...]
    service_account: str | None
    service_account_token: bool
    security_context: Mapping[str, Any]
    volumes: Sequence[Any]
    pod_spec: Mapping[str, Any]
    env_names: tuple[str, ...]
    secret_env_names: tuple[str, ...]

    def __str__(self) -> str:
        return f"app {self.name!r}"


@dataclass(frozen=True)
class Task:
    """A Task or a TaskSchedule.

    - `command`: a text or a list; None where the App's is run, or it is not known yet.
    - `timeout`: in seconds, None for no limit. `memory`, `disk`, `cpu`: canonical quantities.
    - `scheduled`: it is a TaskSchedule; `schedule` is None where only people start it.
    """

    urn: str
    stack: str
    app: str
    name: str
    scheduled: bool
    command: str | list[str] | None
    timeout: int | None
    memory: str
    disk: str
    cpu: str
    retries: int
    must_succeed: bool
    at_most_once: bool
    terminated: bool
    env_names: tuple[str, ...]
    secret_env_names: tuple[str, ...]
    schedule: str | None = None
    time_zone: str = UTC
    concurrency_policy: str = "Allow"
    suspend: bool = False

    def __str__(self) -> str:
        return f"{'job' if self.scheduled else 'task'} {self.name!r} of app {self.app!r}"


@dataclass(frozen=True)
class Run:
    """The record of a Task's run, or of the build of an App's image.

    - `starts`: what this update does: "will" (it runs), "may" (only the update knows), or empty. `because`: why.
    - `argv`, `env` (plain variables of the Task itself), `secret_env` (names): None where they are not known yet.
    """

    urn: str
    stack: str
    app: str
    task: str
    builds: bool
    starts: str
    because: str
    image: str | None
    argv: list[str] | None
    env: Mapping[str, str] | None
    secret_env: tuple[str, ...]
    must_succeed: bool

    def __str__(self) -> str:
        return words(self.app, self.task)


@dataclass(frozen=True)
class Deletion:
    """What retention lets go of one App in this update: the names of `runs`. An App that is removed is not seen."""

    urn: str
    stack: str
    app: str
    runs: tuple[str, ...]

    def __str__(self) -> str:
        return f"app {self.app!r}"


def spaces(args: Any) -> Iterator[Space]:
    """The Spaces among what a policy is about."""
    for found in _of(args, "Space"):
        yield Space(
            urn=found.urn,
            stack=found.stack,
            name=found.text("name") or found.name,
            pod_security=found.text("pod_security"),
            log_archive=found.text("log_archive"),
            keep=_keep(found),
            max_age=_span(found, "max_age"),
            security_groups=found.texts("security_groups"),
            volumes=_list(found["volumes"]),
            pod_spec=_map(found["pod_spec"]),
        )


def apps(args: Any) -> Iterator[App]:
    """The Apps among what a policy is about."""
    for found in _of(args, "App"):
        yield App(
            urn=found.urn,
            stack=found.stack,
            name=found.text("app_name") or found.name,
            space=found.text("space") or "",
            image=found.text("image"),
            source=found.text("source"),
            builder=found.text("builder"),
            resolve_tag=found.flag("resolve_tag"),
            keep=_keep(found),
            max_age=_span(found, "max_age"),
            min_history=_span(found, "min_history"),
            services=found.texts("services"),
            security_groups=found.texts("security_groups"),
            service_account=found.text("service_account"),
            service_account_token=found.flag("automount_service_account_token"),
            security_context=_map(found["security_context"]),
            volumes=_list(found["volumes"]),
            pod_spec=_map(found["pod_spec"]),
            env_names=found.texts("env_names"),
            secret_env_names=found.texts("secret_env_names"),
        )


def tasks(args: Any) -> Iterator[Task]:
    """The Tasks and TaskSchedules among what a policy is about."""
    for found in _of(args, "Task", "TaskSchedule"):
        command = found["command"]
        parts = [str(part) for part in command] if isinstance(command, list) else None
        yield Task(
            urn=found.urn,
            stack=found.stack,
            app=found.text("app") or "",
            name=found.text("task") or found.name,
            scheduled=found.kind == "TaskSchedule",
            command=command if isinstance(command, str) else parts or None,
            timeout=_span(found, "timeout"),
            memory=found.text("memory") or "",
            disk=found.text("disk") or "",
            cpu=found.text("cpu") or "",
            retries=found.count("retries") or 0,
            must_succeed=found.flag("must_succeed", True),
            at_most_once=found.flag("at_most_once"),
            terminated=found.flag("terminated"),
            env_names=found.texts("env_names"),
            secret_env_names=found.texts("secret_env_names"),
            schedule=found.text("schedule"),
            time_zone=found.text("time_zone") or UTC,
            concurrency_policy=found.text("concurrency_policy") or "Allow",
            suspend=found.flag("suspend"),
        )


def runs(args: Any) -> Iterator[Run]:
    """The records of runs among what a policy is about, whether they run in this update or not."""
    for found in _of(args, "Run"):
        definition = _map(found["definition"])
        argv, env = definition.get("argv"), definition.get("env")
        yield Run(
            urn=found.urn,
            stack=found.stack,
            app=found.text("app") or "",
            task=found.text("task") or "",
            builds=found.text("when") == BUILD,
            starts=found.text("_starts") or "",
            because=found.text("_because") or "",
            image=definition.get("image") if isinstance(definition.get("image"), str) else None,
            argv=[str(it) for it in argv] if isinstance(argv, list) and None not in argv else None,
            env={name: str(it) for name, it in env.items() if it is not None} if isinstance(env, dict) else None,
            secret_env=tuple(str(it) for it in definition.get("secret_env") or ()),
            must_succeed=found.flag("must_succeed"),
        )


def deletions(args: Any) -> Iterator[Deletion]:
    """What retention deletes in this update, an App each; those of which nothing goes are left out.

    In a stack of the plugin a History is asked before the Runs of its App, so what goes after them is told by them.
    """
    let_go: dict[tuple[str | None, ...], set[str]] = {}
    for found in _of(args, "History", "Run"):
        place = found.text("namespace"), found.text("app")
        let_go.setdefault(place, set()).update(found.texts("_expired"))
    for found in _of(args, "History"):
        names = let_go[found.text("namespace"), found.text("app")]
        if names:
            yield Deletion(found.urn, found.stack, found.text("app") or found.name, tuple(sorted(names)))


def _of(args: Any, *kinds: str) -> Iterator[Inputs]:
    return (found for found in resources(args) if found.kind in kinds)


def _keep(found: Inputs) -> int:
    keep = found.count("keep")
    return DEFAULT_KEEP if keep is None else keep


def _span(found: Inputs, name: str) -> int | None:
    """A span of time in seconds; None for none, and for what is no span."""
    text = found.text(name)
    try:
        return quantities.age(text, name) if text else None
    except InvalidInput:
        return None


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
