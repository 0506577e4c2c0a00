"""What a Task and a TaskSchedule share: what is declared of a task, and the template of its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import marks, naming, quantities
from ..core.api import Object
from ..core.errors import InvalidInput
from ..core.notify import endpoint
from ..core.run.environment import SYSTEM
from ..core.run.pipelinerun import Resources
from ..core.template import JobSettings, TemplateSettings
from . import names
from .app import App
from .declaration import registered, unless, variables
from .environment import Env, EnvFrom, Layer, definition_of
from .inputs import Args, Command, Cores, Size, Span, computed, depends_on, plain
from .notify import Notify, notified, told
from .plan import AppPlan
from .template import labels, stack_id, template_data


@dataclass(frozen=True)
class Declared:
    """What is declared of one task of an App; known to be good once it is made.

    `labels` are those of its runs beside the App's. `write` turns manifest and settings into a template's data.
    """

    kind: str
    app: AppPlan
    name: str
    resources: Resources
    timeout: str
    retries: int
    own: pulumi.Output[dict[str, Any]]
    env: Env | None
    env_from: EnvFrom = ()
    results: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    job: JobSettings | None = None
    notify: Notify | None = None
    write: Callable[[Object, TemplateSettings], dict[str, str]] = template_data

    @property
    def settings(self) -> TemplateSettings:
        """Those of its template, but for the layers of its variables."""
        policy, archive = self.app.policy, self.app.space.log_archive
        # A pod of a schedule cannot store logs: what it may not delete waits for an update or for `kf prune`.
        policy = replace(policy, archived_only=True) if self.job and archive else policy
        return TemplateSettings(stack_id(), self.app.name, self.name, policy, archive, job=self.job)

    def props(self, command: Command | None, args: Args | None) -> dict[str, Any]:
        """What a component registers of it, but for what only a Task or only a TaskSchedule has."""
        return {
            **vars(self.resources),
            "timeout": self.timeout,
            **registered(command=command, args=args, retries=unless(self.retries, 0), notify=told(self.notify)),
            **variables(self.env),
        }

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


def declare(
    kind: str,
    app: App,
    name: str,
    *,
    command: Command | None,
    args: Args | None,
    memory: Size | None,
    disk: Size | None,
    cpu: Cores | None,
    timeout: Span | None,
    retries: int,
    opts: pulumi.ResourceOptions | None,
    **more: Any,
) -> Declared:
    """What a component's arguments declare; raises InvalidInput for bad ones."""
    naming.check_name(kind, name)
    plan = app._plan
    owner = f"{kind} {name!r} of {plan.owner}"
    other = names.holder(app, (name,), kind)
    if other:  # a task and a job have the same names in the cluster, too
        twice = "is declared twice" if other == kind else f"the app has a {other} of this name"
        raise InvalidInput(f"{owner}: {twice}: rename one of them")
    full_name = f"{plan.name}-{name}"
    parent = opts.parent.pulumi_resource_type if opts and opts.parent else ""
    other = names.holder(names.program(), (kind, full_name, parent), owner)
    if other:
        raise InvalidInput(f"{owner}: {other} goes by the same name in Pulumi, {full_name!r}: rename one of them")
    resources = Resources.over(plan.resources, owner, memory=memory, disk=disk, cpu=cpu)
    plan.space.bounds.check(owner, resources.render())
    return Declared(
        kind,
        plan,
        name,
        resources,
        plan.space.defaults.timeout if timeout is None else quantities.duration(timeout, f"{owner}: timeout"),
        quantities.count(retries, f"{owner}: retries"),
        pulumi.Output.all(command=plain(command, f"command of {owner}"), args=plain(args, f"args of {owner}")),
        **more,
    )


class TaskTemplate:
    """What is declared of a task with its own variables, its argv, the manifest of its runs, and the template."""

    def __init__(self, component: pulumi.ComponentResource, declared: Declared) -> None:
        app, name, owner = declared.app, declared.name, declared.owner
        self.child = pulumi.ResourceOptions(
            parent=component, provider=app.space.provider, depends_on=list(app.prerequisites)
        )
        namespace = app.space.namespace
        metadata = {"namespace": namespace, "labels": labels(app.name)}
        self._layer = Layer(
            component, owner, declared.env, declared.env_from, f"{declared.template_name}.env", metadata, self.child,
            below=[app.space.layer, app.layer],
        )  # fmt: skip
        self.definition = definition_of(self._layer)
        self.secrets = {**app.secrets, **self._layer.secrets}
        self.argv = computed(
            pulumi.Output.all(own=declared.own, start=app.start),
            lambda given: given["start"].argv(owner, given["own"]["command"], given["own"]["args"]),
        )
        self.notified = notified(
            owner, declared.notify, app.notified, endpoint.secret_name(app.name, declared.name), metadata, self.child
        )
        rendered = app.rendered(
            owner, name, self.argv, self._layer, resources=declared.resources, timeout=declared.timeout,
            retries=declared.retries, results=declared.results, labels=declared.labels,
            notified=self.notified,
        )  # fmt: skip
        self.manifest: pulumi.Output[dict[str, Any]] = rendered.apply(lambda found: found.manifest)
        self.layers = rendered.apply(
            lambda found: {name: layers[0] for name, layers in found.layers.items() if layers[0] != SYSTEM}
        )
        own_labels = {marks.TEMPLATE: "task", marks.TASK: name, **declared.labels}
        self._template = kubernetes.core.v1.ConfigMap(
            declared.full_name,
            metadata={
                "name": declared.template_name,
                "namespace": namespace,
                "labels": {**labels(app.name), **own_labels},
            },
            data=computed(
                rendered,
                lambda found: declared.write(
                    found.manifest, replace(declared.settings, layers=found.layers, sources=found.sources)
                ),
            ),
            opts=self.child,
        )

    def before(self, declared: Declared, opts: pulumi.ResourceOptions | None) -> list[pulumi.Resource]:
        """What must be there before a run of it may start."""
        own = [*self._layer.resources, *self.notified.resources, self._template]
        return [*declared.app.prerequisites, *own, *depends_on(opts)]
