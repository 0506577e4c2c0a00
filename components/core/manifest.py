"""A Cloud Foundry `manifest.yml` with tasks, read as its author wrote it.

YAML turns `0755` into 493, `on` into True and `1.10` into 1.1; a variable of a task is text, so what
counts here is the text of the file. Everything that is wrong with a file is said in one error, with
application, key and line, because whoever fixes a manifest wants to do it once.

Here are the model (pydantic) and the report; the text of the file comes from `document`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from . import command, definition, naming, quantities
from .document import Absent, Document, List, Map, kind, read
from .environment import check_reserved
from .errors import InvalidInput

LARGEST_FILE = 1024 * 1024


def _text(value: Any, info: ValidationInfo) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write a text here")
    return str(value)


def _filled(value: str, info: ValidationInfo) -> str:
    if not value:
        raise InvalidInput(f"{info.field_name}: is empty: give it a value or leave it out")
    return value


def _texts(value: Any, info: ValidationInfo) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write a list of texts here, such as ['-v', 'all']")
    return [str(item) for item in value]


def _command(value: Any, info: ValidationInfo) -> str | list[str]:
    return _filled(str(value), info) if isinstance(value, str) else _texts(value, info)


def _truth(value: Any, info: ValidationInfo) -> bool:
    found = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(str(value).lower())
    if found is None:
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write true or false here")
    return found


def _whole(value: Any, info: ValidationInfo) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,9}", value):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write a whole number from 0 upwards here")
    return int(value)


def _mapping(value: Any, info: ValidationInfo) -> Any:
    if value is not None and not isinstance(value, dict):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write keys and values here")
    return value


def _list(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, list):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write a list here, each entry after a '-'")
    return value


def _variable_name(name: str) -> str:
    check_reserved("env", naming.check_env_name("env", name))
    return name


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"{kind(value)}: quote it, a variable is text")
    if "\0" in value:
        raise InvalidInput("holds a NUL byte, which a variable cannot")
    return str(value)


def _when(value: str) -> str:
    if value not in definition.WHEN:
        raise InvalidInput(f"when: {value!r} is unknown: use one of {', '.join(definition.WHEN)}")
    return value


def _data(value: Any) -> Any:
    """Plain data, without the lines of the file."""
    if isinstance(value, dict):
        return {str(key): _data(item) for key, item in value.items()}
    return [_data(item) for item in value] if isinstance(value, list) else value


Text = Annotated[str, BeforeValidator(_text), AfterValidator(_filled)]
Texts = Annotated[list[str], PlainValidator(_texts)]
Command = Annotated[str | list[str], PlainValidator(_command)]
Flag = Annotated[bool, BeforeValidator(_truth)]
Count = Annotated[int, BeforeValidator(_whole)]
Size = Annotated[Text, AfterValidator(lambda value, info: quantities.size(value, info.field_name))]
Cpu = Annotated[Text, AfterValidator(lambda value, info: quantities.cpu(value, info.field_name))]
Span = Annotated[Text, AfterValidator(lambda value, info: quantities.duration(value, info.field_name))]
AppName = Annotated[str, BeforeValidator(_text), AfterValidator(lambda value: naming.check_name("app", value))]
TaskName = Annotated[str, BeforeValidator(_text), AfterValidator(lambda value: naming.check_name("task", value))]
Env = Annotated[
    dict[Annotated[str, AfterValidator(_variable_name)], Annotated[str, BeforeValidator(_variable)]],
    BeforeValidator(_mapping),
]


class _Entry(BaseModel):
    """A map of the manifest; a key without a value is a key that is not there."""

    model_config = ConfigDict(strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise InvalidInput(f"{kind(data)}: write keys and values here")
        return {key: value for key, value in data.items() if value is not None}


class Docker(_Entry):
    """Cloud Foundry's way to name a ready image."""

    image: Text


class TaskEntry(_Entry):
    """A task of an application; what it does not say is the application's."""

    name: TaskName
    command: Command | None = None
    args: Texts | None = None
    env: Env = {}
    memory: Size | None = None
    disk_quota: Size | None = None
    cpu: Cpu | None = None
    timeout: Span | None = None
    retries: Count = 0
    triggers: Annotated[Any, PlainValidator(_data)] = None
    when: Annotated[Text, AfterValidator(_when)] = definition.CHANGE


class Application(_Entry):
    """An application: image, environment, amounts, start command and tasks. Amounts are canonical."""

    name: AppName
    image: Text | None = None
    docker: Docker | None = None
    env: Env = {}
    memory: Size | None = None
    disk_quota: Size | None = None
    cpu: Cpu | None = None
    command: Command | None = None
    entrypoint: Command | None = None
    args: Texts | None = None
    task: Flag = False
    keep: Count | None = None
    tasks: Annotated[list[TaskEntry], BeforeValidator(_list)] = []

    @property
    def ready_image(self) -> str:
        """The image, whichever way it is named."""
        return self.docker.image if self.docker else str(self.image)


@dataclass(frozen=True)
class Manifest:
    """The applications of a file, and what its author should know although it can be used."""

    applications: list[Application]
    warnings: list[str] = field(default_factory=list)


class _Report:
    """Turns one document into applications and collects all that is wrong with it."""

    def __init__(self, document: Document) -> None:
        self.data = document.data
        self.anchored = document.anchored
        self.problems = document.problems
        self.warnings: list[tuple[int, str]] = []

    def applications(self) -> list[Application]:
        if not isinstance(self.data, Map):
            self.problems.append((1, f"the file {kind(self.data)}: begin it with 'applications:'"))
            return []
        self._warn_unknown(self.data, {"applications", *self.anchored}, "")
        entries = self.data.get("applications")
        if not isinstance(entries, List) or not entries:
            wrong = "is missing" if "applications" not in self.data else "is empty" if entries == [] else kind(entries)
            line = self.data.lines.get("applications", 1)
            self.problems.append((line, f"applications: {wrong}: write a list of applications here, each after a '-'"))
            return []
        found = [self._application(entry, entries.lines[nth], nth + 1) for nth, entry in enumerate(entries)]
        self._twice(entries, "application", "")
        return [application for application in found if application]

    def _application(self, data: Any, line: int, nth: int) -> Application | None:
        where = f"{_named('application', data, nth)}: "
        try:
            application = Application.model_validate(data)
        except ValidationError as error:
            application = None
            for problem in error.errors(include_url=False):
                self._add(problem, data, line, where)
        if isinstance(data, Map):
            self._check_image(data, line, where)
            self._check_commands(data, where)
            self._warn_unknown(data, Application.model_fields, where)
            if isinstance(data.get("docker"), Map):
                self._warn_unknown(data["docker"], Docker.model_fields, f"{where}docker: ")
            if isinstance(data.get("tasks"), List):
                self._twice(data["tasks"], "task", where)
                for number, task in enumerate(data["tasks"], 1):
                    if isinstance(task, Map):
                        self._warn_unknown(task, TaskEntry.model_fields, f"{where}{_named('task', task, number)}: ")
        return application

    def _add(self, problem: Any, data: Any, line: int, where: str) -> None:
        """One of pydantic's findings in our words, at the deepest place in the file that it is about."""
        here, keys = data, ""
        for part in problem["loc"]:
            if part == "[key]":
                break
            line = getattr(here, "lines", {}).get(part, line)
            here = here[part] if isinstance(here, List) or isinstance(here, Map) and part in here else None
            if isinstance(part, int):
                where += f"{_named('task', here, part + 1)}: "
                keys = ""
            else:
                keys += f".{part}" if keys else part
        if not isinstance(here, Absent):
            cause = problem.get("ctx", {}).get("error")
            said = "is missing" if problem["type"] == "missing" else str(cause or problem["msg"])
            own = next((key for key in (keys.split(".")[0], keys.split(".")[-1]) if said.startswith(f"{key}: ")), None)
            said = said[len(own) + 2 :] if own else said
            self.problems.append((line, f"{where}{keys}{': ' if keys else ''}{said}"))

    def _check_image(self, data: Map, line: int, where: str) -> None:
        given = [key for key in ("image", "docker") if data.get(key) is not None]
        if not given:
            said = "image: is missing: name a ready image with image: … or docker: {image: …}"
            self.problems.append((line, where + said))
        if len(given) > 1:
            said = "image: is given twice, as image and as docker.image: leave one of them out"
            self.problems.append((data.lines["docker"], where + said))

    def _check_commands(self, data: Map, where: str) -> None:
        tasks = data["tasks"] if isinstance(data.get("tasks"), List) else List()
        for nth, task in enumerate(tasks):
            if isinstance(task, Map):
                start = [task.get("command"), task.get("args"), data.get("command"), data.get("args")]
                start = [data.get("entrypoint"), *start]
                if all(value is None or isinstance(value, (str, list)) and value for value in start):
                    try:
                        command.resolve(_named("task", task, nth + 1), *start)
                    except InvalidInput as error:
                        self.problems.append((tasks.lines[nth], f"{where}{error}"))

    def _twice(self, entries: List, kind: str, where: str) -> None:
        first: dict[str, int] = {}
        for nth, entry in enumerate(entries):
            name = entry.get("name") if isinstance(entry, dict) else None
            if isinstance(name, str) and name in first:
                said = f"{where}{kind} {name!r} is there twice, first in line {first[name]}: rename one"
                self.problems.append((entries.lines[nth], said))
            elif isinstance(name, str):
                first[name] = entries.lines[nth]

    def _warn_unknown(self, data: Map, known: Any, where: str) -> None:
        for key in data:
            if key not in known:
                near = difflib.get_close_matches(key, [str(name) for name in known], 1)
                advice = f", did you mean {near[0]!r}?" if near else ""
                self.warnings.append((data.lines[key], f"{where}key {key!r} is unknown and has no effect{advice}"))


def _named(what: str, entry: Any, number: int) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"{what} {name!r}" if isinstance(name, str) else f"{what} number {number}"


def _lines(found: list[tuple[int, str]]) -> Iterator[str]:
    for line, text in sorted(dict.fromkeys(found), key=lambda entry: entry[0]):
        yield f"line {line}: {text}"


def parse(text: str, file: str = "manifest.yml", variables: Mapping[str, Any] | None = None) -> Manifest:
    """The manifest in `text`, with `((name))` replaced from `variables`.

    Raises InvalidInput with every problem of the file, each with line, application and key.
    """
    document = read(text, file, variables or {})
    if document.data is None:
        raise InvalidInput(f"{file} is empty: begin it with 'applications:' and a list of applications")
    report = _Report(document)
    applications = report.applications()
    if report.problems:
        said = list(_lines(report.problems))
        count = f"{len(said)} problems" if len(said) > 1 else "1 problem"
        raise InvalidInput("\n  ".join([f"{file} cannot be used, it has {count}:", *said]))
    return Manifest(applications, [f"{file}: {warning}" for warning in _lines(report.warnings)])


def load(path: Path, variables: Mapping[str, Any] | None = None) -> Manifest:
    """The manifest in a file; raises InvalidInput, also when there is no such file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(
            f"there is no manifest {path}: create it, or name another file with 'pulumi config set kf:manifest FILE'"
        ) from None
    except OSError as error:
        raise InvalidInput(f"the manifest {path} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise InvalidInput(f"{path} has {len(content)} bytes, a manifest has at most {LARGEST_FILE}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path}: line {line} is no UTF-8: save the file as UTF-8") from None
    return parse(text, path.name, variables)
