"""What is checked at each place of a manifest: a list of rules, each with the places that it is about.

A rule is a function from one place to its findings. It relies on nothing that another rule has found, and
knows that what it looks at may be of any kind: what each value should be is said by the model, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Collection, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

from pydantic import ValidationError

from ..errors import InvalidInput
from ..run import command, launcher
from . import ignored_keys
from .findings import Finding, Path, named
from .keys import about_map, unknown
from .model import (
    Application,
    Docker,
    Dockerfile,
    Entry,
    JobEntry,
    Metadata,
    Process,
    Service,
    TaskEntry,
    Told,
    spelled,
)
from .nodes import Absent, Entries, Items, Text, kind, unreadable

FILE, APPLICATIONS = "file", "applications"
ENTRY = "entry"  # an entry of `applications`, whatever it is
APPLICATION = "application"  # an entry that is a map
ENTRIES = {
    "tasks": "task",
    "jobs": "job",
    "services": "service",
    "processes": "process",
    "notify": "endpoint",
}  # role of a list's maps
_MAPS: Mapping[str, Tuple[Type[Entry], Mapping[str, str]]] = {
    "docker": (Docker, ignored_keys.DOCKER),
    "dockerfile": (Dockerfile, {}),
    "metadata": (Metadata, {}),
    "task": (TaskEntry, ignored_keys.TASK),
    "job": (JobEntry, ignored_keys.JOB),
    "process": (Process, ignored_keys.PROCESS),
    "endpoint": (Told, {}),
    "service": (Service, {}),
}


@dataclass(frozen=True)
class Place:
    """A part of the file: `role` says what it should be, other roles than those above are an application's keys.

    An entry has what was read from it as `application`, or what keeps it from being one as `invalid`.
    `services` are the declared ones, None if that is not known; `anchored` keys are there to be referred to.
    """

    role: str
    path: Path
    line: int
    data: Any
    application: Optional[Application] = None
    invalid: Sequence[Any] = ()
    services: Optional[Collection[str]] = None
    anchored: Collection[str] = ()

    def list(self, key: str) -> Items:
        """The list under a key of the place; an empty one where it is none."""
        found = self.data.get(key)
        return found if isinstance(found, Items) else Items()


@dataclass(frozen=True)
class Rule:
    """What is checked at places of some roles."""

    applies_to: Tuple[str, ...]
    check: Callable[[Place], Iterator[Finding]]


def check(place: Place) -> Iterator[Finding]:
    """What all the rules have to say about a place."""
    for rule in RULES:
        if place.role in rule.applies_to:
            yield from rule.check(place)


def open_map(data: Any) -> bool:
    """Whether something is a map whose keys may be shown."""
    return isinstance(data, Entries) and not data.secrets


def validated(data: Any) -> Tuple[Optional[Application], Sequence[Any]]:
    """An entry of `applications` as one, or pydantic's reasons why it is none."""
    try:
        return Application.model_validate(data), ()
    except ValidationError as error:
        return None, error.errors(include_url=False)


# --- the file


def _has_applications(place: Place) -> Iterator[Finding]:
    data = place.data
    if not open_map(data):
        yield Finding(1, (), f"the file {kind(data)}: begin it with 'applications:'")
        return
    entries = data.get("applications")
    if (not isinstance(entries, Items) or not entries) and not isinstance(entries, Absent):
        wrong = "is missing" if "applications" not in data else "is empty" if entries == [] else kind(entries)
        said = f"{wrong}: write a list of applications here, each after a '-'"
        yield Finding(data.lines.get("applications", 1), ("applications",), said)


def _top_keys(place: Place) -> Iterator[Finding]:
    data = place.data
    for key, line in data.lines.items() if open_map(data) else ():
        if key == "inherit":
            said = "files cannot be inherited from (Cloud Foundry does not do it any more): put both into one file"
            yield Finding(line, (key,), said)
        elif key == "version":
            if data[key] != "1" and not isinstance(data[key], Absent):
                yield Finding(line, (key,), f"{kind(data[key])}: there is only version 1")
        elif key in Application.model_fields or key in ignored_keys.APPLICATION:
            if key not in place.anchored:
                yield Finding(line, (key,), f"has no effect outside of applications: {ignored_keys.SHARED}", "top")
        elif key != "applications" and key not in place.anchored:
            yield unknown(line, (key,), ["applications"])


# --- an application


def _invalid(place: Place) -> Iterator[Finding]:
    """Pydantic's findings in our words, each at the deepest place in the file that it is about."""
    for problem in place.invalid:
        here, line, path = place.data, place.line, place.path
        hidden: Tuple[str, ...] = ()
        for step in problem["loc"]:
            hidden = here.secrets if isinstance(here, Entries) else ()
            if step == "[key]" or hidden:
                break
            part: Any = spelled(here, step) if isinstance(here, Entries) else step
            line = getattr(here, "lines", {}).get(part, line)
            path = (*path, part)
            here = here[part] if isinstance(here, list) or (isinstance(here, dict) and part in here) else None
        if hidden and _of_env(path):  # elsewhere a secret is a problem by itself
            said = f"holds the secret (({hidden[0]})), in which a key or a value cannot be used here: see what it has"
            yield Finding(line, path, said)
        elif not hidden and not unreadable(here):
            cause = problem.get("ctx", {}).get("error")
            said = "is missing" if problem["type"] == "missing" else str(cause or problem["msg"])
            own = next((part for part in ("env", *problem["loc"][-2:]) if said.startswith(f"{part}: ")), None)
            yield Finding(line, path, said[len(str(own)) + 2 :] if own else said)


def _secrets(place: Place) -> Iterator[Finding]:
    """A PipelineRun, its labels and its name can be read by everybody who may list pods; env goes to a Secret."""
    yield from _secrets_in(place.data, place.line, place.path)


def _secrets_in(data: Any, line: int, path: Path) -> Iterator[Finding]:
    env, secrets = _of_env(path), data.secrets if isinstance(data, (Text, Entries)) else ()
    if isinstance(data, Text) and _of_notify(path):
        return
    if env == ("env",) and isinstance(data, Text) and secrets:
        yield Finding(line, path, f"is the secret (({secrets[0]})), a text: write keys and values here")
    elif len(env) == 2 and isinstance(data, Entries) and secrets:
        yield Finding(line, path, f"is the secret (({secrets[0]})), a map: a variable is text")
    elif secrets and not env:
        said = (
            f"holds the secret (({secrets[0]})), which everybody could read here: use it in values of "
            "env and in addresses of notify only, or set it without --secret"
        )
        yield Finding(line, path, said)
    elif isinstance(data, (Entries, Items)) and len(env) < 2:
        for key, value in data.items() if isinstance(data, Entries) else enumerate(data):
            yield from _secrets_in(value, data.lines[key], (*path, key))


def _of_env(path: Path) -> Path:
    """The part of a path from the env of an application, task or job downwards; nothing outside of them."""
    return _own(path) if _own(path)[:1] == ("env",) else ()


def _of_notify(path: Path) -> bool:
    """Whether it is an address in notify, which goes to a Secret as variables do."""
    own = _own(path)
    return len(own) == 3 and own[0] == "notify" and own[2] in ("webhook", "heartbeat", "ca")


def _own(path: Path) -> Path:
    """The part of a path that an application, task or job has to itself."""
    return path[4:] if path[2:3] in (("tasks",), ("jobs",)) else path[2:]


def _image(place: Place) -> Iterator[Finding]:
    data, line, path = place.data, place.line, (*place.path, "image")
    given = [key for key in ("image", "docker") if data.get(key) is not None]
    builder = data.get("builder") is not None
    other = next((key for key in ("buildpacks", "buildpack", "build") if data.get(key)), "") if not builder else ""
    if not given and (other or not any(data.get(key) is not None for key in ("path", "dockerfile", "builder"))):
        without = "" if other == "build" else " without the image that has them, builder: …"
        why = f" (nothing is built from {other} here{without})" if other else ""
        said = (
            f"is missing{why}: name a ready image with image: … or docker: {{image: …}}, or the folder of a "
            "Dockerfile with path: …"
        )
        yield Finding(line, path, said)
    elif not given and builder and data.get("dockerfile") is not None:
        said = "is given beside dockerfile, and an image is built in one way: leave one of them out"
        yield Finding(data.lines["builder"], (*place.path, "builder"), said)
    if len(given) > 1:
        said = "is given twice, as image and as docker.image: leave one of them out"
        yield Finding(data.lines["docker"], path, said)


def _docker_with_buildpacks(place: Place) -> Iterator[Finding]:
    """`Cannot specify both buildpack(s) and docker keys`: cloud_controller_ng, app_manifest_message.rb."""
    for key in ("buildpack", "buildpacks"):
        if place.data.get("docker") is not None and place.data.get(key) is not None:
            said = "is given beside docker, which Cloud Foundry refuses too: leave one of them out"
            yield Finding(place.data.lines[key], (*place.path, key), said)


def _commands(place: Place) -> Iterator[Finding]:
    data = place.data
    own: Mapping[str, Any] = next((one for one in _maps(place.list("processes")) if one.get("type") == "task"), {})
    inherited = [data.get("command"), data.get("args")]
    inherited = [own["command"], None] if own.get("command") is not None else inherited
    entrypoint = data.get("entrypoint") or (launcher.LAUNCHER if data.get("builder") is not None else None)
    for key in ("tasks", "jobs"):
        entries = place.list(key)
        for nth, entry in enumerate(entries):
            if isinstance(entry, Entries):
                start = [entrypoint, entry.get("command"), entry.get("args"), *inherited]
                wrong = _wrong_start(named(key, entry, nth), start)
                if wrong:
                    yield Finding(entries.lines[nth], (*place.path, key, nth), wrong)


def _wrong_start(owner: str, start: List[Any]) -> str:
    if all(value is None or (isinstance(value, (str, list)) and value) for value in start):
        try:
            command.resolve(owner, *start)
        except InvalidInput as error:
            return str(error).removeprefix(f"{owner}: ")
    return ""


def _keys_of_application(place: Place) -> Iterator[Finding]:
    ready = place.data.get("image") is not None or place.data.get("docker") is not None
    known = ignored_keys.APPLICATION if ready else ignored_keys.BUILT
    yield from about_map(place.data, Application, known, place.path)


def _idle(place: Place) -> Iterator[Finding]:
    if place.application and not place.application.task:
        lines = place.data.lines
        said = "is not started here, only its tasks are (task: true says that this is meant)"
        path = (*place.path, "task") if "task" in lines else place.path
        yield Finding(lines.get("task", place.line), path, said, "idle")


def _renamed(place: Place) -> Iterator[Finding]:
    name = place.data.get("name")
    if isinstance(name, str) and "_" in name and place.application:
        said = f"{name!r} becomes {place.application.name!r}, the cluster allows no '_' in a name"
        yield Finding(place.data.lines["name"], (*place.path, "name"), said, "renamed")


def _job_named_as_task(place: Place) -> Iterator[Finding]:
    """Tasks and jobs have the same names in the cluster."""
    names = {str(task.get("name")) for task in _maps(place.list("tasks"))}
    jobs = place.list("jobs")
    for nth, job in enumerate(jobs):
        if isinstance(job, Entries) and isinstance(job.get("name"), str) and str(job["name"]) in names:
            said = "has the name of a task: rename one of them"
            yield Finding(jobs.lines[nth], (*place.path, "jobs", nth), said)


# --- what is inside of an application


def _keys(place: Place) -> Iterator[Finding]:
    if isinstance(place.data, Entries):
        yield from about_map(place.data, *_MAPS[place.role], place.path)


def _undeclared(place: Place) -> Iterator[Finding]:
    if not isinstance(place.data, Items) or place.services is None:
        return
    for nth, name in enumerate(map(_name, place.data)):
        if name and name not in place.services:
            there = ", ".join(sorted(place.services)) or "none"
            said = f"nobody declares it (declared: {there}): declare it in kf:services or in the program"
            yield Finding(place.data.lines[nth], (*place.path, nth), said)


def _other_processes(place: Place) -> Iterator[Finding]:
    for nth, entry in enumerate(place.data if isinstance(place.data, Items) else ()):
        if (_name(entry, "type") or "task") != "task":
            said = "has no effect on tasks: only the process of type 'task' has"
            yield Finding(place.data.lines[nth], (*place.path, nth), said, "foreign")


def _twice(wrong: str, key: str = "name") -> Callable[[Place], Iterator[Finding]]:
    """The rule that no two entries of a list have the same value of `key`; a service may be its name alone."""

    def check(place: Place) -> Iterator[Finding]:
        first: Dict[str, int] = {}
        for nth, entry in enumerate(place.data if isinstance(place.data, Items) else ()):
            given = _name(entry, key)
            if given is None or (isinstance(entry, str) and place.role != "services"):
                continue
            name = given.replace("_", "-") if place.role == APPLICATIONS else given
            line = place.data.lines[nth] if key == "name" else entry.lines[key]
            if name in first:
                becomes = f" ({given!r} becomes {name!r})" if name != given else ""
                said = f"{wrong}{becomes}, first in line {first[name]}: rename one, or leave it out"
                yield Finding(line, (*place.path, nth), said)
            first.setdefault(name, line)

    return check


def _maps(items: Items) -> Iterator[Entries]:
    return (item for item in items if isinstance(item, Entries))


def _name(entry: Any, key: str = "name") -> Optional[str]:
    """What an entry is called: its `key`, or the entry itself; None if that is no text, or not to be shown."""
    found = entry.get(key) if isinstance(entry, Entries) else entry if key == "name" else None
    return str(found) if isinstance(found, str) and not unreadable(found) else None


RULES = (
    Rule((FILE,), _has_applications),
    Rule((FILE,), _top_keys),
    Rule((ENTRY,), _invalid),
    Rule((APPLICATION,), _image),
    Rule((APPLICATION,), _docker_with_buildpacks),
    Rule((APPLICATION,), _commands),
    Rule((ENTRY,), _secrets),
    Rule((APPLICATION,), _keys_of_application),
    Rule((APPLICATION,), _job_named_as_task),
    Rule((APPLICATION,), _idle),
    Rule((APPLICATION,), _renamed),
    Rule(tuple(_MAPS), _keys),
    Rule((APPLICATIONS, "tasks", "jobs"), _twice("is there twice")),
    Rule(("processes",), _twice("is there twice", "type")),
    Rule(("services",), _twice("is bound twice")),
    Rule(("services",), _twice("has the binding_name of another one", "binding_name")),
    Rule(("services",), _undeclared),
    Rule(("processes",), _other_processes),
)
