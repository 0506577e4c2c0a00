"""What a Task and a TaskSchedule share: a definition within an App, rendered as the template of its runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import marks, naming, quantities
from ..core.errors import InvalidInput
from ..core.run import environment, launcher, pipelinerun
from ..core.run.pipelinerun import Resources
from .app import App
from .inputs import Args, Command, Env, Layer, checked, depends_on, labels, plain, stack_id, template_data

_names: weakref.WeakKeyDictionary[App, dict[str, str]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Definition:
    """What is declared of one task of an App; known to be good once it is made.

    `labels` are those of its runs beside the App's. `write` turns manifest and settings into a template's data.
    """

    kind: str
    app: App
    name: str
    resources: Resources
    timeout: str
    retries: int
    own: pulumi.Output[dict[str, Any]]
    env: Env | None
    results: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    write: Callable[[dict[str, Any], dict[str, Any]], dict[str, str]] = template_data

    @property
    def owner(self) -> str:
        """The task as errors name it."""
        return f"{self.kind} {self.name!r} of {self.app.owner}"

    @property
    def full_name(self) -> str:
        """Its name in Pulumi: two Apps may both have a task of this name."""
        return f"{self.app.name}-{self.name}"

    @property
    def template_name(self) -> str:
        """Its name in the cluster."""
        return f"kf-{self.app.name}.{self.name}"


def define(
    kind: str,
    app: App,
    name: str,
    *,
    command: Command | None,
    args: Args | None,
    memory: str | None,
    disk: str | None,
    cpu: str | float | None,
    timeout: str | None,
    retries: int,
    **more: Any,
) -> Definition:
    """A definition from a component's arguments; bad ones end the program before anything is registered."""
    checked(lambda: naming.check_name(kind, name))
    owner = f"{kind} {name!r} of {app.owner}"
    checked(lambda: _claim(app, kind, name, owner))
    resources = checked(lambda: _resources(owner, app.resources, memory, disk, cpu))
    limit = (
        app.space.defaults["timeout"]
        if timeout is None
        else checked(lambda: quantities.duration(timeout, f"{owner}: timeout"))
    )
    tries = checked(lambda: quantities.count(retries, f"{owner}: retries"))
    own = pulumi.Output.all(command=plain(command, f"command of {owner}"), args=plain(args, f"args of {owner}"))
    return Definition(kind, app, name, resources, limit, tries, own, **more)


class Rendered:
    """A definition with its own variables, its argv, the manifest of its runs, and the template that holds it."""

    def __init__(self, component: pulumi.ComponentResource, definition: Definition) -> None:
        app, name, owner = definition.app, definition.name, definition.owner
        self.child = pulumi.ResourceOptions(parent=component, provider=app.space.provider, depends_on=app.children)
        namespace = app.space.namespace
        metadata = {"namespace": namespace, "labels": labels(app.name)}
        self.layer = Layer(component, owner, definition.env, f"{definition.template_name}.env", metadata, self.child)
        self.argv = pulumi.Output.all(own=definition.own, start=app.start).apply(
            lambda given: checked(lambda: _argv(owner, **given))
        )

        def render(given: dict[str, Any]) -> dict[str, Any]:
            layers = [("Space", given["space"]), ("App", given["app"]), ("Task", given["task"])]
            spec = app.spec(
                name, given["argv"], layers, image=given["image"], pod=given["pod"], namespace=given["namespace"],
                resources=definition.resources, timeout=definition.timeout, retries=definition.retries,
                results=list(definition.results),
            )  # fmt: skip
            manifest = pipelinerun.render(spec)
            manifest["metadata"]["labels"].update(definition.labels)
            return {"manifest": manifest, "layers": environment.origins(spec.env)}

        rendered = pulumi.Output.all(
            argv=self.argv, image=app.image, pod=app.pod, namespace=namespace,
            space=app.space.layer.values, app=app.layer.values, task=self.layer.values,
        ).apply(render)  # fmt: skip
        self.manifest: pulumi.Output[dict[str, Any]] = rendered.apply(lambda found: found["manifest"])
        settings = {**app.policy.settings(), **app.space.archiving, "stack": stack_id(), "app": app.name, "task": name}
        settings.update(definition.settings)
        own_labels = {marks.TEMPLATE: "task", marks.TASK: name, **definition.labels}
        self.template = kubernetes.core.v1.ConfigMap(
            definition.full_name,
            metadata={
                "name": definition.template_name,
                "namespace": namespace,
                "labels": {**labels(app.name), **own_labels},
            },
            data=rendered.apply(
                lambda found: definition.write(found["manifest"], {**settings, "layers": found["layers"]})
            ),
            opts=self.child,
        )

    def before(self, definition: Definition, opts: pulumi.ResourceOptions | None) -> list[pulumi.Resource]:
        """What must be there before a run of it may start."""
        return [*definition.app.children, *self.layer.resources, self.template, *depends_on(opts)]


def _claim(app: App, kind: str, name: str, owner: str) -> None:
    """A task and a job have the same names in the cluster; two of one kind the engine refuses itself."""
    other = _names.setdefault(app, {}).setdefault(name, kind)
    if other != kind:
        raise InvalidInput(f"{owner}: the app has a {other} of this name: rename one of them")


def _argv(owner: str, own: dict[str, Any], start: dict[str, Any]) -> list[str]:
    return launcher.argv(owner, start, own["command"], own["args"])


def _resources(owner: str, inherited: Resources, memory: Any, disk: Any, cpu: Any) -> Resources:
    return Resources(
        memory=inherited.memory if memory is None else quantities.size(memory, f"{owner}: memory"),
        disk=inherited.disk if disk is None else quantities.size(disk, f"{owner}: disk"),
        cpu=inherited.cpu if cpu is None else quantities.cpu(cpu, f"{owner}: cpu"),
        cpu_limit=inherited.cpu_limit if cpu is None or inherited.cpu_limit is None else quantities.cpu(cpu, owner),
    )
