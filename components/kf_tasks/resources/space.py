"""A Space: the namespace that Apps and their tasks live in, its environment and its defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.resource import DependencyProviderResource

from ..core import marks, naming, quantities
from ..core.build.repository import IMAGE_NAME, check_image_name, check_registry
from ..core.errors import InvalidInput
from ..core.pods import security
from ..core.pods.quota import Bounds, without_default
from ..core.pods.quota import hard as hard_limits
from ..core.pods.quota import limits as limits_of
from ..core.retention import policy
from ..core.retention.policy import DEFAULT_KEEP, Policy
from ..core.run.pipelinerun import Resources
from ..log.archive import check_url
from ..provider import engine
from .arguments import of_component
from .connection import connection_of, settings_of
from .declaration import registered, unless, variables
from .environment import Env, EnvFrom, Layer
from .inheritance import inheriting
from .inputs import Age, Cores, Fields, FieldsList, Names, Size, Span, Texts, plain
from .notify import Notified, Notify, notified, told
from .pods import pod_settings
from .security_group import SecurityGroup, policies
from .template import kept
from .template import labels as own_labels

KUBERNETES = "kubernetes:core/v1:Namespace"
SUBMITTER_IMAGE = "python:3-slim"
BUILDER_IMAGE = "quay.io/buildah/stable:latest"


@dataclass(frozen=True)
class Defaults:
    """What the Apps and tasks of a Space have where they say nothing; `timeout` is canonical (`1h0m0s`)."""

    resources: Resources
    timeout: str


class Space(pulumi.ComponentResource):
    """A namespace with an environment and defaults for the Apps in it.

    `Space(name)` creates the namespace `name`. `Space(name, namespace="existing")` (or a Namespace
    resource) uses one and never deletes it.

    - `env`, `env_from`: variables of every task, the lowest layer, as on App.
    - `memory` ("1Gi"), `disk` ("1Gi"), `cpu` ("100m"): defaults of the Apps (Kf's own defaults).
    - `timeout` ("1h"): default time limit of a task, "0" for none.
    - `keep` (500), `keep_failed` (0), `max_age` (none), `min_history` (none): what an App keeps, as on App.
    - `log_archive` ("s3://bucket/logs", "file:///logs", or any other URL that fsspec knows; none): where the log of
      every run is stored before the run goes, whoever lets it go. Credentials come from the environment.
    - `labels`, `annotations`, `node_selector`, `tolerations`, `affinity`, `volumes`, `volume_mounts`,
      `priority_class`, `runtime_class`, `image_pull_secrets`, `pod_spec`: of the pods of every App's
      tasks, as on App; an App's own come on top.
    - `registry` ("registry.example.com/team", or "http://…" for one without TLS): where Apps with a source are
      built to. `registry_secret`: a Secret of type kubernetes.io/dockerconfigjson in its namespace, for upload, tags,
      builds and pulls (for upload and tags else what `docker login` left). `image_name` ("{namespace}/{app}"): the
      repository of an App in it, "{app}" for registries with two levels only. `builder_image`: one with buildah and sh.
    - `security_groups`: for the pods of all its Apps.
    - `pod_security`: the Pod Security level that its namespace enforces, such as "restricted".
    - `notify` ([Webhook(…), Heartbeat(…)]; nobody): who is told how the tasks of all its Apps end.
    - `quota` ({"memory": "8G", "cpu": 4, "pods": 50}): a ResourceQuota; `limit_range` ({"default":
      {"memory": "64M"}, "default_request": …, "max": …, "min": …}): a LimitRange for containers.
    - `submitter_image` ("python:3-slim"): any image with Python 3.9 or newer; schedules start their tasks with it.
    - `kubeconfig` (a path or the content), `context`: the cluster. Without them: the Kubernetes
      provider in `opts`, else the stack's `kubernetes:*` configuration, else KUBECONFIG or ~/.kube/config.

    Raises pulumi.RunError for bad input.
    """

    namespace: pulumi.Output[str]

    @of_component("space")
    def __init__(
        self,
        name: str,
        *,
        namespace: pulumi.Input[str] | kubernetes.core.v1.Namespace | None = None,
        env: Env | None = None,
        env_from: EnvFrom = (),
        memory: Size = "1Gi",
        disk: Size = "1Gi",
        cpu: Cores = "100m",
        timeout: Span = "1h",
        keep: int = DEFAULT_KEEP,
        keep_failed: int = 0,
        max_age: Age | None = None,
        min_history: Age | None = None,
        log_archive: str | None = None,
        labels: Names | None = None,
        annotations: Names | None = None,
        node_selector: Names | None = None,
        tolerations: FieldsList | None = None,
        affinity: Fields | None = None,
        volumes: FieldsList | None = None,
        volume_mounts: FieldsList | None = None,
        priority_class: pulumi.Input[str] | None = None,
        runtime_class: pulumi.Input[str] | None = None,
        image_pull_secrets: Texts | None = None,
        pod_spec: Fields | None = None,
        security_groups: Sequence[SecurityGroup] = (),
        pod_security: Literal["privileged", "baseline", "restricted"] | None = None,
        registry: str | None = None,
        registry_secret: pulumi.Input[str] | None = None,
        image_name: str = IMAGE_NAME,
        builder_image: str = BUILDER_IMAGE,
        quota: Mapping[str, str | float] | None = None,
        limit_range: Mapping[str, Mapping[str, str | float]] | None = None,
        notify: Notify | None = None,
        submitter_image: str | None = None,
        kubeconfig: pulumi.Input[str] | os.PathLike[str] | None = None,
        context: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        naming.check_name("space", name)
        owner = f"space {name!r}"
        self.defaults = Defaults(
            Resources(
                memory=quantities.size(memory, f"{owner}: memory"),
                disk=quantities.disk(disk, f"{owner}: disk"),
                cpu=quantities.cpu(cpu, f"{owner}: cpu"),
            ),
            quantities.duration(timeout, f"{owner}: timeout"),
        )
        self.policy = policy.policy(owner, Policy(), keep=keep, keep_failed=keep_failed, max_age=max_age)
        least = policy.min_history(owner, self.policy, min_history)
        level = None if pod_security is None else security.check_level(pod_security, owner)
        hard = None if quota is None else hard_limits(owner, quota)
        limits = None if limit_range is None else limits_of(owner, limit_range)
        bounds = Bounds(owner, hard or {}, limits or {})
        _check_level_has_place(owner, level, namespace)
        archive = None if log_archive is None else check_url(owner, log_archive)
        check_image_name(owner, image_name)
        if registry is not None:
            check_registry(owner, registry)
        amounts = self.defaults.resources
        props: dict[str, Any] = {
            "name": name, "memory": amounts.memory, "disk": amounts.disk, "cpu": amounts.cpu,
            "timeout": self.defaults.timeout, **kept(self.policy, archive),
            **registered(
                min_history=least,
                pod_security=level,
                quota=hard,
                limit_range=limits,
                registry=registry,
                image_name=unless(image_name, IMAGE_NAME),
                builder_image=unless(builder_image, BUILDER_IMAGE),
                submitter_image=submitter_image,
                security_groups=[group.name for group in security_groups],
                volumes=volumes,
                pod_spec=pod_spec,
                notify=told(notify),
            ),
            **variables(env),
        }  # fmt: skip
        super().__init__("kf:index:Space", name, props, inheriting(opts))
        engine.watch()
        # The base class has set every key of props as an attribute; from here on they are ours again.
        self.name, self.log_archive, self.min_history, self.pod_security = name, archive, least, level
        self.bounds, self._kept = bounds, 0
        self.registry, self.builder_image, self.image_name = registry, builder_image, image_name
        self.registry_secret = registry_secret and plain(registry_secret, f"registry_secret of {owner}")
        if registry_secret is not None:
            image_pull_secrets = pulumi.Output.all(image_pull_secrets, registry_secret).apply(
                lambda both: [*(both[0] or ()), both[1]]
            )
        self.submitter_image = SUBMITTER_IMAGE if submitter_image is None else submitter_image
        given = os.fspath(kubeconfig) if isinstance(kubeconfig, os.PathLike) else kubeconfig
        self.provider, settings = self._choose_provider(given, context)
        self.connection = connection_of(settings)
        self.owns_namespace = namespace is None
        self.resources: list[pulumi.Resource] = []
        self.namespace = self._namespace(namespace)
        metadata = {"namespace": self.namespace, "labels": own_labels()}
        child = self._child_options()
        self.layer = Layer(self, owner, env, env_from, f"kf.{name}.env", metadata, child)
        self.notified = notified(owner, notify, Notified(), f"kf.{name}.notify", metadata, child)
        self.pod = pod_settings(
            owner, labels=labels, annotations=annotations, node_selector=node_selector, tolerations=tolerations,
            affinity=affinity, volumes=volumes, volume_mounts=volume_mounts, pod_spec=pod_spec,
            priority_class=priority_class, runtime_class=runtime_class, image_pull_secrets=image_pull_secrets,
        )  # fmt: skip
        selector = {marks.STACK: own_labels()[marks.STACK]}
        groups = policies(owner, security_groups, f"kf.{name}", selector, metadata, child)
        self.prerequisites = (
            *self.resources, *groups, *self._limits(hard, limits, metadata, child), *self.layer.resources,
            *self.notified.resources,
        )  # fmt: skip
        self.register_outputs({"namespace": self.namespace})

    def keeps(self, app: str, keep: int) -> None:
        """Counts what an App keeps, and warns where that of all Apps fills a quota on objects."""
        before = self.bounds.filled(self._kept)
        self._kept += keep
        full = self.bounds.filled(self._kept)
        if full and not before:
            pulumi.log.warn(
                f"{app} keeps {keep} finished tasks with their objects, which makes {self._kept} in "
                f"{self.bounds.owner}: when they fill its quota ({full}) no task starts any more: keep fewer, or "
                "raise the quota",
                self,
            )

    def _choose_provider(
        self, kubeconfig: pulumi.Input[str] | None, context: pulumi.Input[str] | None
    ) -> tuple[pulumi.ProviderResource, dict[str, Any]]:
        given = self.get_provider(KUBERNETES)
        if given and kubeconfig is None and context is None:
            if isinstance(given, DependencyProviderResource):  # of a program in another language
                raise InvalidInput(
                    f"space {self.name!r}: which cluster its Kubernetes provider is for is known to the program alone: "
                    "give the Space the same kubeconfig or context"
                )
            flags = ("enable_secret_mutable", "enable_config_map_mutable")
            if any(given.__dict__.get(flag) is None for flag in flags):
                pulumi.log.warn(
                    "the Kubernetes provider does not set enable_secret_mutable and enable_config_map_mutable: "
                    "a changed Secret or ConfigMap is deleted and made anew, and a starting task may miss it",
                    self,
                )
            return given, settings_of(given)
        stack = pulumi.Config("kubernetes")
        own_kubeconfig = None if kubeconfig is None else pulumi.Output.secret(kubeconfig)
        settings: dict[str, Any] = {
            "kubeconfig": _configured(stack, "kubeconfig") if own_kubeconfig is None else own_kubeconfig,
            "context": _configured(stack, "context") if context is None else context,
            "cluster": _configured(stack, "cluster"),
        }
        own = kubernetes.Provider(
            self.name,
            **settings,
            enable_secret_mutable=True,
            enable_config_map_mutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return own, settings

    def _namespace(self, given: pulumi.Input[str] | kubernetes.core.v1.Namespace | None) -> pulumi.Output[str]:
        if isinstance(given, kubernetes.core.v1.Namespace):
            self.resources.append(given)
            return given.metadata["name"]
        if given is not None:
            return pulumi.Output.from_input(given)
        level = {security.ENFORCE: self.pod_security} if self.pod_security else {}
        created = kubernetes.core.v1.Namespace(
            self.name, metadata={"name": self.name, "labels": {**own_labels(), **level}}, opts=self._child_options()
        )
        self.resources.append(created)
        # The name is a plain string and the order comes from depends_on: a name taken from an Output
        # would make everything below look replaced in a preview that replaces the namespace.
        return pulumi.Output.from_input(self.name)

    def _limits(
        self, hard: Any, limits: Any, metadata: dict[str, Any], opts: pulumi.ResourceOptions
    ) -> list[pulumi.Resource]:
        made: list[pulumi.Resource] = []
        named = {**metadata, "name": f"kf.{self.name}"}
        if hard is not None:
            made.append(kubernetes.core.v1.ResourceQuota(self.name, metadata=named, spec={"hard": hard}, opts=opts))
            needed = without_default(hard, limits)
            if needed:
                pulumi.log.warn(
                    f"space {self.name!r}: a quota on {', '.join(needed)} refuses containers that name none, and "
                    "Tekton's own name none: give limit_range={'default': …, 'default_request': …} too",
                    self,
                )
        if limits is not None:
            spec = {"limits": [limits]}
            made.append(kubernetes.core.v1.LimitRange(self.name, metadata=named, spec=spec, opts=opts))
        return made

    def _child_options(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self.provider, depends_on=self.resources)


def _check_level_has_place(owner: str, level: str | None, namespace: Any) -> None:
    if level and namespace is not None:
        raise InvalidInput(
            f"{owner}: pod_security labels the namespace that the Space creates, but it uses an existing one: "
            f"set the label {security.ENFORCE} where that namespace is made"
        )


def _configured(stack: pulumi.Config, key: str) -> pulumi.Input[str] | None:
    """A value of the stack's configuration, which stays a secret if it is one there."""
    secret = pulumi.runtime.is_config_secret(stack.full_key(key))
    return stack.get_secret(key) if secret else stack.get(key)
