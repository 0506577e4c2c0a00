"""The build of an App's image from its source, as `kf push --task` does it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import marks, naming
from ..core.api import Object
from ..core.build import buildpacks
from ..core.build.repository import repository
from ..core.build.spec import BUILD, DIGEST, KEEP, TASK, USER, Artifact, BuildSpec, Upload, contents, listing
from ..core.build.syntax import facts
from ..core.log.shown import FOLLOW
from ..core.retention.policy import Policy
from ..core.run.launcher import Processes
from ..core.state import of_stack
from ..core.template import TemplateSettings
from ..history import History
from ..registry.client import Address
from ..run import Run
from .approval import approved
from .inputs import depends_on, plain, urn_of
from .pods import TaskPods
from .source import Source, needs, prepare, recipe
from .space import Space
from .template import kept, labels, stack_id, template_data


@dataclass(frozen=True)
class Rendered:
    """A build with everything known but how it ends."""

    manifest: Object
    definition: dict[str, Any]
    upload: Upload
    repository: str


class Build:
    """The build of an App's image: its template, its run, and the retention of its runs.

    - `image`: what it makes, with its digest. `processes`: what buildpacks found in it, None without them.
    - `user`: the USER of the image; None where the build did not tell.
    """

    def __init__(
        self, app: pulumi.ComponentResource, name: str, own_name: str, space: Space, source: Source,
        pod: pulumi.Output[TaskPods], opts: pulumi.ResourceOptions | None,
    ) -> None:  # fmt: skip
        known = _rendered(own_name, space, source, pod)
        build, logical = naming.build_of(own_name), naming.build_of(name)
        keeping = kept(Policy(KEEP), space.log_archive)
        counter = f"kf.{BUILD}.{own_name}"
        template = kubernetes.core.v1.ConfigMap(
            logical,
            metadata={
                "name": counter,
                "namespace": space.namespace,
                "labels": {**labels(build), marks.TEMPLATE: BUILD},
                "annotations": {marks.URN: urn_of(app).apply(of_stack)},
            },
            data=known.apply(
                lambda found: template_data(
                    found.manifest, TemplateSettings(stack_id(), build, TASK, Policy(KEEP), space.log_archive)
                )
            ),
            opts=pulumi.ResourceOptions(parent=app, provider=space.provider, depends_on=space.resources),
        )
        common = {
            "__preview": pulumi.runtime.is_dry_run(),
            **approved(),
            "connection": space.connection,
            "stack": stack_id(),
            "namespace": space.namespace,
            "app": build,
            **keeping,
            "urn": urn_of(app),
        }
        run = Run(
            logical,
            {
                **common,
                "task": TASK,
                "counter": counter,
                "definition": known.apply(lambda found: found.definition),
                "manifest": known.apply(lambda found: found.manifest),
                "upload": known.apply(lambda found: vars(found.upload)),
                "when": BUILD,
                "wait": True,
                "must_succeed": True,
                "start_timeout": 600,
                "log_mode": FOLLOW,
                "terminated": False,
                "at_most_once": False,
            },
            pulumi.ResourceOptions(
                parent=app, depends_on=[*space.resources, *depends_on(opts), template], retain_on_delete=True
            ),
        )
        History(
            logical,
            {
                **common,
                "stack_label": naming.label_value(stack_id()),
                "owns_namespace": space.owns_namespace,
                "runs": pulumi.Output.all(run.run),
            },
            pulumi.ResourceOptions(
                parent=app,
                depends_on=[*space.resources, template],
                retain_on_delete=opts.retain_on_delete if opts else None,
            ),
        )
        self.image: pulumi.Output[str] = pulumi.Output.all(run.results, known).apply(
            lambda both: f"{both[1].repository}@{both[0][DIGEST]}"
        )
        self.user: pulumi.Output[str | None] = run.results.apply(lambda found: found.get(USER))
        self.processes: pulumi.Output[Processes] | None = None
        if source.builder:
            self.processes = run.results.apply(lambda found: Processes.of(json.loads(found[buildpacks.PROCESSES])))


def _rendered(app: str, space: Space, source: Source, pod: pulumi.Output[TaskPods]) -> pulumi.Output[Rendered]:
    owner = f"app {app!r}"
    tree, resources, timeout = prepare(owner, app, space, source)
    registry = space.registry or ""
    address, artifact = Address.of(registry), Artifact(tree.digest, tree.size)
    found = needs(source)
    arguments = {name: plain(value, f"build_args[{name!r}] of {owner}") for name, value in source.build_args.items()}

    def render(given: dict[str, Any]) -> Rendered:
        settings, secret = given["pod"].settings, given["secret"]
        names = dict.fromkeys([*(settings.image_pull_secrets or ()), *([secret] if secret else [])])
        own = repository(space.image_name, given["namespace"], app)
        spec = BuildSpec(
            namespace=given["namespace"],
            app=app,
            stack=stack_id(),
            recipe=recipe(space, source, given["arguments"], found),
            artifact=artifact,
            repository=f"{_shown(address)}/{address.repository(own)}",
            resources=resources,
            timeout=timeout,
            service_account="default",
            plain_host=address.host if address.scheme == "http" else "",
            secret=secret,
            node_selector=settings.node_selector or {},
            pod_template={
                **given["pod"].template,
                "automountServiceAccountToken": False,
                **({"imagePullSecrets": [{"name": name} for name in names]} if names else {}),
            },
        )
        return Rendered(
            manifest=spec.recipe.render(spec),
            definition=spec.definition(listing(tree.files)),
            upload=Upload(
                folder=str(Path(source.path).absolute()),
                registry=registry,
                repository=own,
                tree=artifact.tree,
                size=artifact.size,
                secret=secret,
                ignore=list(source.ignore),
                contents={**contents(tree.sizes, tree.secret), **facts(found, space.builder_image)},
            ),
            repository=spec.repository,
        )

    return pulumi.Output.all(
        namespace=space.namespace,
        pod=pod,
        arguments=arguments,
        secret=plain(space.registry_secret, "registry_secret of the space"),
    ).apply(render)


def _shown(address: Address) -> str:
    return "docker.io" if address.host == "registry-1.docker.io" else address.host
