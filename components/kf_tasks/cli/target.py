"""Which cluster and which Space a command means, and what every command asks of that Space.

A name that does not exist is an error that names what there is, never an empty answer.
"""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..core import api, marks, naming
from ..core.api import Object
from ..core.retention import pruned
from ..core.retention.pruned import Pruned
from ..core.run.summary import RunSummary
from ..core.template import TemplateSettings
from ..errors import ClusterError, Denied, NotFound
from . import names

if TYPE_CHECKING:
    from ..cluster.client import Cluster
    from ..cluster.informer import Followed, Seen

_NO_TEKTON = "the cluster has no PipelineRuns: install Tekton Pipelines in it first"
_NO_BUILDS = f"{marks.COMPONENT}!={naming.BUILD[1:]}"
F = TypeVar("F", bound=Callable[..., Any])
SPACE, ARCHIVE = "KF_SPACE", "KF_LOG_ARCHIVE"  # the variables that choose one
_IN_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass
class Target:
    """The flags that choose cluster and Space, as they were given."""

    space: str | None = None
    kubeconfig: str | None = None
    context: str | None = None

    def open(self) -> TargetSpace:
        """The Space; raises Unreachable without a usable cluster configuration."""
        from ..cluster.client import Cluster
        from ..cluster.connection import Connection

        cluster = Cluster.of(Connection(self.kubeconfig, self.context))
        return TargetSpace(cluster, self.name(), self.flags)

    def name(self) -> str:
        """The name of the Space; raises ClusterError if none is chosen, UsageError if it can be none."""
        return names.space(self.space or os.environ.get(SPACE) or self._namespace())

    @property
    def flags(self) -> str:
        """The flags once more, for a command that is suggested."""
        given = [(f"--{name}", value) for name, value in vars(self).items() if value]
        return "".join(f" {flag} {shlex.quote(value)}" for flag, value in given)

    def context_name(self) -> str | None:
        """The name of the kubeconfig's context, None where there is no kubeconfig."""
        found = self._context()
        return str(found["name"]) if found else self.context

    def _context(self) -> Object | None:
        from ..cluster.kubeconfig import Kubeconfig

        config = Kubeconfig.read(self.kubeconfig)
        name = self.context or (config and config.current)
        if not config or not name:
            return None
        found = config.contexts.get(name)
        return {"name": name, "context": found.value if found else {}}

    def _namespace(self) -> str:
        found = self._context()
        if not found:
            return _IN_POD.read_text().strip() if _IN_POD.exists() else _no_space()
        namespace: str | None = found["context"].get("namespace")
        return namespace or _no_space()


class TargetSpace:
    """One Space on one cluster."""

    def __init__(self, cluster: Cluster, name: str, flags: str = "") -> None:
        self.cluster = cluster
        self.name = name
        self.flags = flags
        self._followed: dict[str, Followed] = {}

    def runs(self, app: str | None = None, selector: str = "", *, with_times: bool = False) -> list[RunSummary]:
        """The runs (of one App, and further selected), oldest first; builds only where their name is asked for."""
        selector = selector if app else ",".join(filter(None, [selector, _NO_BUILDS]))
        try:
            found = self.cluster.list_runs(self.name, app, selector, with_times=with_times)
        except NotFound:
            raise NotFound(_NO_TEKTON) from None
        return sorted(found, key=lambda run: run.age)

    def told_runs(self, app: str | None = None, *, with_times: bool = False) -> list[RunSummary]:
        """As `runs`, by what a watch tells from the first list on: the cluster is asked only where nobody tells it."""
        from ..cluster.informer import informer

        try:
            found = informer(self.cluster.http, self.name).runs(app, with_times=with_times).known(self.cluster)
        except NotFound:
            raise NotFound(_NO_TEKTON) from None
        own = [run for run in found if app or run.labels.get(marks.COMPONENT) != naming.BUILD[1:]]
        return sorted(own, key=lambda run: run.age)

    def seen(self, name: str) -> Seen:
        """A run with its TaskRun and its pods, as a watch tells of them from now on; raises NotFound."""
        from ..cluster.informer import informer

        if name not in self._followed:
            self._followed[name] = informer(self.cluster.http, self.name).follow(self.cluster, name)
        return self._followed[name].look()

    def forget(self, name: str) -> None:
        """Nobody wants to see this run any more."""
        followed = self._followed.pop(name, None)
        if followed:
            followed.close()

    def whole_run(self, name: str) -> Object:
        """The PipelineRun of a run of ours; raises NotFound."""
        advice = f'No Task found with name "{name}" in space {self.name!r}: kf tasks{self.flags} lists them'
        try:
            run = self.cluster.get_run(self.name, name)
        except NotFound:
            raise NotFound(self._pruned(name=name) or advice) from None
        if marks.KEY not in (run["metadata"].get("labels") or {}):
            raise NotFound(advice)
        return run

    def run_of(self, app: str, task_id: int) -> RunSummary:
        """The run of an App with an id; raises NotFound."""
        found = self.runs(app, api.equal(marks.TASK_ID, str(task_id)))
        if not found:
            raise NotFound(
                self._pruned(app, task_id)
                or f'No Task found for App "{app}" and Task ID "{task_id}": kf tasks {app}{self.flags} lists them'
            )
        return found[-1]

    def one(self, name: str, task_id: int | None) -> Object:
        """The PipelineRun of a run by its name, or by its App and its id; raises NotFound."""
        return self.whole_run(self.run_of(name, task_id).name if task_id is not None else name)

    def pruned(self, app: str, task_id: int | None = None, name: str = "") -> Pruned | None:
        """What is remembered of a run of an App that was let go; None for one of which nothing is."""
        template = self.cluster.get(self.name, "configmaps", f"kf-{app}")
        return pruned.find(template, task_id, name) if template else None

    def _pruned(self, app: str = "", task_id: int | None = None, name: str = "") -> str:
        """That a run was pruned, when, by which rule, and where its log is; empty where nobody knows."""
        try:
            selector = f"{api.equal(marks.NAME, app)},{marks.TEMPLATE}" if app else marks.TEMPLATE
            for template in self.cluster.config_maps(self.name, selector):
                found = pruned.find(template, task_id, name)
                if found:
                    return self._told(template, found)
                counted = marks.number(template["metadata"].get("annotations") or {}, marks.LAST_TASK_ID)
                if task_id is not None and task_id <= counted:
                    return (
                        f"task {task_id} of app {app!r} is not kept any more: the app has counted {counted} by now; "
                        f"kf tasks {app}{self.flags} lists those that are kept, with --archived those of a log archive"
                    )
        except (Denied, NotFound):
            pass
        return ""

    def _told(self, template: Object, found: Pruned) -> str:
        app = template["metadata"]["labels"].get(marks.NAME, "")
        try:
            url = TemplateSettings.of_template(template).log_archive
        except ValueError:
            url = None
        url = url or os.environ.get(ARCHIVE)
        log = (
            f"its log is in the archive {url}: kf logs {app} --id {found.id}{self.flags}"
            if url
            else "its log went with it, since the app has no log archive"
        )
        return f"task {found.id} of app {app!r} (run {found.name}) was pruned at {found}; {log}"

    def check_app(self, app: str) -> None:
        """Raises NotFound unless the App has a template or runs; the text names the Apps there are."""
        if not self.cluster.get(self.name, "configmaps", f"kf-{app}") and not self.runs(app):
            raise self.unknown_app(app)

    def unknown_app(self, app: str) -> NotFound:
        """The error for an App that is not in the Space."""
        self.check_space()
        try:
            templates = self.cluster.config_maps(self.name, api.equal(marks.TEMPLATE, "app"))
        except Denied:
            templates = []
        apps = sorted({template["metadata"]["labels"].get(marks.NAME, "") for template in templates} - {""})
        there = f"its apps are {', '.join(apps)}" if apps else "it has no apps"
        return NotFound(f"app {app!r} not found in space {self.name!r}: {there}; choose another space with --space")

    def check_space(self) -> None:
        """Raises NotFound if it is certain that the Space does not exist."""
        try:
            exists = self.cluster.namespace(self.name) is not None
        except Denied:
            return
        if not exists:
            raise NotFound(f"space {self.name!r} not found in the cluster: choose one with --space or KF_SPACE")


def target_options(command: F) -> F:
    """Adds --space, --kubeconfig and --context; the values go to the Target, before or after a command's name."""

    def keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        target = ctx.ensure_object(Target)
        if value is not None and param.name:
            setattr(target, param.name, value)

    option = functools.partial(click.option, expose_value=False, callback=keep)
    context = option("--context", type=names.given, metavar="NAME", help="Context of the kubeconfig.")
    kubeconfig = option(
        "--kubeconfig", type=names.given, metavar="FILE", help="Default: KUBECONFIG, or ~/.kube/config."
    )
    space = option(
        "--space", type=names.space, metavar="NAME", help="Default: KF_SPACE, or the namespace of the context."
    )
    return space(kubeconfig(context(command)))


def user() -> str:
    """Who sits at the terminal, for annotations."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _no_space() -> str:
    raise ClusterError("no space is targeted: choose one with --space or KF_SPACE")
