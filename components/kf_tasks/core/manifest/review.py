"""The report about one manifest: its applications, everything that is wrong, and what its author should know."""

from __future__ import annotations

from typing import Any, Collection, Iterable, Mapping, Optional, Tuple, Type
from typing import List as Listing

from pydantic import ValidationError

from ..errors import InvalidInput
from ..run import command, launcher
from . import ignored_keys
from .document import Document
from .findings import Finding, Path, named
from .keys import about_map, unknown
from .model import Application, Docker, Dockerfile, Entry, JobEntry, Metadata, Process, Service, TaskEntry, spelled
from .nodes import Absent, List, Map, Text, kind, unreadable

_INNER: Mapping[str, Tuple[Type[Entry], Mapping[str, str]]] = {
    "docker": (Docker, ignored_keys.DOCKER),
    "dockerfile": (Dockerfile, {}),
    "metadata": (Metadata, {}),
    "tasks": (TaskEntry, ignored_keys.TASK),
    "jobs": (JobEntry, ignored_keys.JOB),
    "processes": (Process, ignored_keys.PROCESS),
    "services": (Service, {}),
}


class Review:
    """Turns a document into applications; `services` are those that exist, None if that is not known."""

    def __init__(self, document: Document, services: Optional[Collection[str]] = None) -> None:
        self.data = document.data
        self.anchored = document.anchored
        self.problems = list(document.problems)
        self.warnings = list(document.warnings)
        self.notes: Listing[Finding] = []
        self._services = services

    def applications(self) -> Listing[Application]:
        """The applications that can be used; the findings are complete afterwards."""
        if not isinstance(self.data, Map):
            self._problem(1, (), f"the file {kind(self.data)}: begin it with 'applications:'")
            return []
        self._top(self.data)
        entries = self.data.get("applications")
        if not isinstance(entries, List) or not entries:
            wrong = "is missing" if "applications" not in self.data else "is empty" if entries == [] else kind(entries)
            line = self.data.lines.get("applications", 1)
            if not isinstance(entries, Absent):
                self._problem(line, ("applications",), f"{wrong}: write a list of applications here, each after a '-'")
            return []
        found = [self._application(entry, entries.lines[nth], nth) for nth, entry in enumerate(entries)]
        self._twice(entries, ("applications",), "is there twice")
        return [application for application in found if application]

    def _top(self, data: Map) -> None:
        for key in data:
            line = data.lines[key]
            if key == "inherit":
                said = "files cannot be inherited from (Cloud Foundry does not do it any more): put both into one file"
                self._problem(line, (key,), said)
            elif key == "version":
                if data[key] != "1" and not isinstance(data[key], Absent):
                    self._problem(line, (key,), f"{kind(data[key])}: there is only version 1")
            elif key in Application.model_fields or key in ignored_keys.APPLICATION:
                if key not in self.anchored:
                    said = f"has no effect outside of applications: {ignored_keys.SHARED}"
                    self.warnings.append(Finding(line, (key,), said, "top"))
            elif key != "applications" and key not in self.anchored:
                self.warnings.append(unknown(line, (key,), ["applications"]))

    def _application(self, data: Any, line: int, nth: int) -> Optional[Application]:
        path: Path = ("applications", nth)
        application = None
        try:
            application = Application.model_validate(data)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                self._add(problem, data, line, path)
        if not isinstance(data, Map):
            return application
        self._check_image(data, line, path)
        self._check_commands(data, path)
        self._refuse_secrets(data, line, path)
        ready = data.get("image") is not None or data.get("docker") is not None
        self._sort(about_map(data, Application, ignored_keys.APPLICATION if ready else ignored_keys.BUILT, path))
        for key, (model, known) in _INNER.items():
            inner = data.get(key)
            if isinstance(inner, Map):
                self._sort(about_map(inner, model, known, (*path, key)))
            for number, entry in enumerate(inner if isinstance(inner, List) else ()):
                if isinstance(entry, Map):
                    self._sort(about_map(entry, model, known, (*path, key, number)))
        self._entries(data, path)
        if application and not application.task:
            said = "is not started here, only its tasks are (task: true says that this is meant)"
            place = (*path, "task") if "task" in data.lines else path
            self.warnings.append(Finding(data.lines.get("task", line), place, said, "idle"))
        if isinstance(data.get("name"), str) and "_" in data["name"] and application:
            said = f"{data['name']!r} becomes {application.name!r}, the cluster allows no '_' in a name"
            self.warnings.append(Finding(data.lines["name"], (*path, "name"), said, "renamed"))
        return application

    def _entries(self, data: Map, path: Path) -> None:
        """What concerns several entries of a list, or other things that exist."""
        for kind_ in ("tasks", "jobs"):
            if isinstance(data.get(kind_), List):
                self._twice(data[kind_], (*path, kind_), "is there twice")
        self._apart(data, path)
        if isinstance(data.get("services"), List):
            services = data["services"]
            self._twice(services, (*path, "services"), "is bound twice")
            self._twice(services, (*path, "services"), "has the binding_name of another one", "binding_name")
            for nth, entry in enumerate(services):
                name = entry.get("name") if isinstance(entry, Map) else entry
                known = self._services is None or name in self._services
                if isinstance(name, str) and name and not known and not unreadable(name):
                    there = ", ".join(sorted(self._services or ())) or "none"
                    said = f"nobody declares it (declared: {there}): declare it in kf:services or in the program"
                    self._problem(services.lines[nth], (*path, "services", nth), said)
        if isinstance(data.get("processes"), List):
            self._twice(data["processes"], (*path, "processes"), "is there twice", "type")
            for nth, entry in enumerate(data["processes"]):
                type_ = entry.get("type") if isinstance(entry, Map) else None
                if isinstance(type_, str) and type_ != "task" and not unreadable(type_):
                    said = "has no effect on tasks: only the process of type 'task' has"
                    line = data["processes"].lines[nth]
                    self.warnings.append(Finding(line, (*path, "processes", nth), said, "foreign"))

    def _apart(self, data: Map, path: Path) -> None:
        """Tasks and jobs have the same names in the cluster."""
        tasks, jobs = (data[key] if isinstance(data.get(key), List) else List() for key in ("tasks", "jobs"))
        names = {str(task.get("name")) for task in tasks if isinstance(task, Map)}
        for nth, job in enumerate(jobs):
            if isinstance(job, Map) and isinstance(job.get("name"), str) and str(job["name"]) in names:
                self._problem(jobs.lines[nth], (*path, "jobs", nth), "has the name of a task: rename one of them")

    def _add(self, problem: Any, data: Any, line: int, path: Path) -> None:
        """One of pydantic's findings in our words, at the deepest place in the file that it is about."""
        here: Any = data
        for step in problem["loc"]:
            if step == "[key]":
                break
            part: Any = spelled(here, step) if isinstance(here, Map) else step
            line = getattr(here, "lines", {}).get(part, line)
            path = (*path, part)
            here = here[part] if isinstance(here, list) or (isinstance(here, dict) and part in here) else None
        if unreadable(here):
            return
        cause = problem.get("ctx", {}).get("error")
        said = "is missing" if problem["type"] == "missing" else str(cause or problem["msg"])
        own = next((part for part in ("env", *problem["loc"][-2:]) if said.startswith(f"{part}: ")), None)
        self._problem(line, path, said[len(str(own)) + 2 :] if own else said)

    def _check_image(self, data: Map, line: int, path: Path) -> None:
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
            self._problem(line, (*path, "image"), said)
        elif not given and builder and data.get("dockerfile") is not None:
            said = "is given beside dockerfile, and an image is built in one way: leave one of them out"
            self._problem(data.lines["builder"], (*path, "builder"), said)
        if len(given) > 1:
            said = "is given twice, as image and as docker.image: leave one of them out"
            self._problem(data.lines["docker"], (*path, "image"), said)

    def _check_commands(self, data: Map, path: Path) -> None:
        processes = data["processes"] if isinstance(data.get("processes"), List) else List()
        own = next((one for one in processes if isinstance(one, Map) and one.get("type") == "task"), Map())
        inherited = [data.get("command"), data.get("args")]
        inherited = [own["command"], None] if own.get("command") is not None else inherited
        entrypoint = data.get("entrypoint") or (launcher.LAUNCHER if data.get("builder") is not None else None)
        for key in ("tasks", "jobs"):
            entries = data[key] if isinstance(data.get(key), List) else List()
            for nth, entry in enumerate(entries):
                if isinstance(entry, Map):
                    start = [entrypoint, entry.get("command"), entry.get("args"), *inherited]
                    self._check_command(start, entries.lines[nth], (*path, key, nth), named(key, entry, nth))

    def _check_command(self, start: Listing[Any], line: int, path: Path, owner: str) -> None:
        if all(value is None or (isinstance(value, (str, list)) and value) for value in start):
            try:
                command.resolve(owner, *start)
            except InvalidInput as error:
                self._problem(line, path, str(error).removeprefix(f"{owner}: "))

    def _refuse_secrets(self, data: Any, line: int, path: Path) -> None:
        """A PipelineRun, its labels and its name can be read by everybody who may list pods; env goes to a Secret."""
        if path[2:3] == ("env",) or path[2:3] + path[4:5] in (("tasks", "env"), ("jobs", "env")):
            return
        if isinstance(data, Text) and data.secrets:
            said = (
                f"holds the secret (({data.secrets[0]})), which everybody could read here: use it in values of "
                "env only, or set it without --secret"
            )
            self._problem(line, path, said)
        for key, value in data.items() if isinstance(data, Map) else enumerate(data) if isinstance(data, List) else ():
            self._refuse_secrets(value, data.lines[key], (*path, key))

    def _twice(self, entries: List, path: Path, wrong: str, key: str = "name") -> None:
        first: dict[str, int] = {}
        for nth, entry in enumerate(entries):
            given = (
                entry.get(key)
                if isinstance(entry, Map)
                else entry
                if path[-1] == "services" and key == "name"
                else None
            )
            if not isinstance(given, str) or unreadable(given):
                continue
            name = given.replace("_", "-") if path == ("applications",) else str(given)
            line = entries.lines[nth] if key == "name" else entry.lines[key]
            if name in first:
                becomes = f" ({str(given)!r} becomes {name!r})" if name != given else ""
                said = f"{wrong}{becomes}, first in line {first[name]}: rename one, or leave it out"
                self._problem(line, (*path, nth), said)
            first.setdefault(name, line)

    def _sort(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            {"problem": self.problems, "hidden": self.notes}.get(finding.kind, self.warnings).append(finding)

    def _problem(self, line: int, path: Path, said: str) -> None:
        self.problems.append(Finding(line, path, said))
