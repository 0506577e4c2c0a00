"""The build of an App's image from its source, as `kf push --task` does it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import marks, naming
from ..core.build import buildpacks
from ..core.build import spec as builds
from ..core.log.shown import FOLLOW
from ..history import History
from ..registry.client import Place
from ..run import Run
from .inputs import checked, labels, plain, stack_id, template_data, urn_of
from .source import Source, prepare, recipe
from .space import Space


class Build:
    """The build of an App's image: its template, its run, and the retention of its runs."""

    def __init__(
        self, app: pulumi.ComponentResource, name: str, own_name: str, space: Space, source: Source,
        pod: pulumi.Output[dict[str, Any]], opts: pulumi.ResourceOptions, retain: bool | None,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:  # fmt: skip
        owner = f"app {own_name!r}"
        found, resources, timeout = checked(lambda: prepare(owner, own_name, space, source))
        place = Place.of(space.registry or "")
        artifact = builds.Artifact(found.digest, found.size)
        given = pulumi.Output.all(
            namespace=space.namespace,
            pod=pod,
            arguments={
                name: plain(value, f"build_args[{name!r}] of {owner}") for name, value in source.build_args.items()
            },
            secret=plain(space.registry_secret, "registry_secret of the space"),
        )

        def rendered(given: dict[str, Any]) -> dict[str, Any]:
            template = {**given["pod"]["template"], "automountServiceAccountToken": False}
            secrets = [*given["pod"]["image_pull_secrets"], *([given["secret"]] if given["secret"] else [])]
            spec = builds.BuildSpec(
                namespace=given["namespace"],
                app=own_name,
                stack=stack_id(),
                recipe=recipe(space, source, given["arguments"]),
                artifact=artifact,
                repository=f"{_shown(place)}/{place.repository(_repository(given['namespace'], own_name))}",
                resources=resources,
                timeout=timeout,
                service_account="default",
                plain_host=place.host if place.scheme == "http" else "",
                secret=given["secret"],
                node_selector=given["pod"]["node_selector"],
                pod_template={
                    **template,
                    **(
                        {"imagePullSecrets": [{"name": secret} for secret in dict.fromkeys(secrets)]} if secrets else {}
                    ),
                },
            )
            return {
                "manifest": spec.recipe.render(spec),
                "definition": spec.definition(builds.listing(found.files)),
                "repository": spec.repository,
                "upload": {
                    "folder": str(Path(source.path).absolute()),
                    "registry": space.registry,
                    "repository": _repository(given["namespace"], own_name),
                    "tree": artifact.tree,
                    "size": artifact.size,
                    "secret": given["secret"],
                },
            }

        known = given.apply(rendered)
        self._labels = {**labels(own_name + builds.ENDING), marks.TEMPLATE: builds.BUILD}
        settings = {"app": own_name + builds.ENDING, "task": builds.TASK, "stack": stack_id(), "keep": builds.KEEP}
        settings.update(space.archiving)
        counter = f"kf.{builds.BUILD}.{own_name}"
        template = kubernetes.core.v1.ConfigMap(
            f"{name}{builds.ENDING}",
            metadata={"name": counter, "namespace": space.namespace, "labels": self._labels},
            data=known.apply(lambda found: template_data(found["manifest"], settings)),
            opts=opts,
        )
        run = Run(
            f"{name}{builds.ENDING}",
            {
                "__preview": pulumi.runtime.is_dry_run(),
                "connection": space.connection,
                "stack": stack_id(),
                "namespace": space.namespace,
                "app": own_name + builds.ENDING,
                "task": builds.TASK,
                "counter": counter,
                "definition": known.apply(lambda found: found["definition"]),
                "manifest": known.apply(lambda found: found["manifest"]),
                "upload": known.apply(lambda found: found["upload"]),
                "when": builds.BUILD,
                "wait": True,
                "must_succeed": True,
                "keep": builds.KEEP,
                **space.archiving,
                "start_timeout": 600,
                "log_mode": FOLLOW,
                "terminated": False,
                "at_most_once": False,
                "urn": urn_of(app),
            },
            pulumi.ResourceOptions(parent=app, depends_on=[*space.resources, *after, template], retain_on_delete=True),
        )
        History(
            f"{name}{builds.ENDING}",
            {
                "__preview": pulumi.runtime.is_dry_run(),
                "connection": space.connection,
                "stack": stack_id(),
                "stack_label": naming.label_value(stack_id()),
                "namespace": space.namespace,
                "owns_namespace": space.owns_namespace,
                "app": own_name + builds.ENDING,
                "keep": builds.KEEP,
                **space.archiving,
                "runs": pulumi.Output.all(run.run),
                "urn": urn_of(app),
            },
            pulumi.ResourceOptions(parent=app, depends_on=[*space.resources, template], retain_on_delete=retain),
        )
        self.image: pulumi.Output[str] = pulumi.Output.all(run.results, known).apply(
            lambda both: f"{both[1]['repository']}@{both[0][builds.DIGEST]}"
        )
        self.processes: pulumi.Output[dict[str, Any]] | None = None
        if source.builder:
            self.processes = run.results.apply(lambda results: json.loads(results[buildpacks.PROCESSES]))


def _repository(namespace: str, app: str) -> str:
    return f"{namespace}/{app}"


def _shown(place: Place) -> str:
    return "docker.io" if place.host == "registry-1.docker.io" else place.host
