"""What the tasks of an App are made from: all that it hands down, and the PipelineRun that comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from ..core import marks
from ..core.api import Object
from ..core.retention.policy import Policy
from ..core.run import environment, pipelinerun, size, system
from ..core.run.environment import Value
from ..core.run.launcher import Start
from ..core.run.pipelinerun import Resources, TaskSpec
from ..run import Run
from .digests import Data
from .environment import Layer, arranged, layers_of
from .inputs import computed
from .notify import Notified
from .pods import TaskPods
from .space import Space
from .template import stack_id


@dataclass(frozen=True)
class Rendered:
    """The PipelineRun of a task, and where each of its variables, and of its sources of variables, comes from."""

    manifest: Object
    layers: Mapping[str, Any]
    sources: Sequence[str]


@dataclass
class Roll:
    """The Tasks and TaskSchedules that the program declares after an App.

    `runs` are their records by the names of the Tasks. `closed` says that History has read it, which is when the
    program's body has run: a Task that is declared later, inside an `apply` or after an `await`, is not on it.
    """

    runs: dict[str, Run] = field(default_factory=dict)
    schedules: list[dict[str, str]] = field(default_factory=list)
    closed: bool = False


@dataclass(frozen=True)
class AppPlan:
    """An App as its tasks see it.

    - `name`: in the cluster. `policy`: what is kept of it. `service_account`: of its tasks.
    - `layer`, `bindings`: the variables of the App and of its services.
    - `secrets`: the values of Space, App and services that are secret, by the names of their Secrets.
    - `notified`: who is told how they end.
    - `prerequisites`: what a run needs before it starts.
    - `roll`: what this update may start and what starts by itself, for the App's History.
    """

    name: str
    space: Space
    resources: Resources
    policy: Policy
    service_account: str
    image: pulumi.Output[str]
    start: pulumi.Output[Start]
    pod: pulumi.Output[TaskPods]
    layer: Layer
    bindings: pulumi.Output[dict[str, Value]]
    secrets: Data
    notified: Notified
    prerequisites: tuple[pulumi.Resource, ...]
    roll: Roll = field(default_factory=Roll)

    @property
    def owner(self) -> str:
        """The App as errors name it."""
        return f"app {self.name!r}"

    def rendered(
        self,
        owner: str,
        task: str,
        argv: pulumi.Output[list[str]],
        own: Layer | None = None,
        *,
        resources: Resources,
        timeout: str,
        retries: int = 0,
        results: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        notified: Notified | None = None,
    ) -> pulumi.Output[Rendered]:
        """A task of the App with its `argv` and, if it is not the App's own command, its `own` variables.

        `labels` are those of its runs beside the App's, `notified` those who are told in place of the App's. `owner` is
        how errors name the task.
        """
        said = {"Space": self.space.layer, "App": self.layer, **({"Task": own} if own else {})}

        def render(given: dict[str, Any]) -> Rendered:
            sources, layers = arranged({name: given[name] for name in said})
            of_platform = system.variables(stack_id(), given["namespace"], self.name, resources.memory, resources.disk)
            merged = environment.merge(
                [*layers, (environment.BINDINGS, given["bindings"]), (environment.SYSTEM, of_platform)]
            )
            pod: TaskPods = given["pod"]
            settings = pod.settings
            spec = TaskSpec(
                namespace=given["namespace"],
                app=self.name,
                task=task,
                stack=stack_id(),
                image=given["image"],
                argv=given["argv"],
                env=merged,
                env_from=[source for _, source in sources],
                resources=resources,
                timeout=timeout,
                retries=retries,
                service_account=self.service_account,
                results=list(results),
                labels=settings.labels or {},
                annotations=settings.annotations or {},
                node_selector=settings.node_selector or {},
                security_context=settings.security_context,
                volumes=settings.volumes or (),
                volume_mounts=settings.volume_mounts or (),
                pod_template=pod.template,
            )
            manifest = pipelinerun.render(spec)
            manifest["metadata"]["labels"].update(labels or {})
            secret = (notified or self.notified).secret
            if secret:
                manifest["metadata"].setdefault("annotations", {})[marks.NOTIFY] = secret
            size.check_run(owner, manifest)
            return Rendered(manifest, environment.origins(merged), [layer for layer, _ in sources])

        given = pulumi.Output.all(
            argv=argv,
            image=self.image,
            pod=self.pod,
            namespace=self.space.namespace,
            bindings=self.bindings,
            **layers_of(said),
        )
        return computed(given, render)
