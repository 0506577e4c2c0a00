"""A Space: the namespace that Apps and their tasks live in, its environment and its defaults."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from .core import naming, quantities
from .core.retention import DEFAULT_KEEP
from .inputs import Env, Layer, checked, connection_of, labels, settings_of, stack_id

KUBERNETES = "kubernetes:core/v1:Namespace"


class Space(pulumi.ComponentResource):
    """A namespace with an environment and defaults for the Apps in it.

    `Space(name)` creates the namespace `name`. `Space(name, namespace="existing")` (or a Namespace
    resource) uses one and never deletes it.

    - `env`: variables of every task, the lowest layer; secret values go to a Kubernetes Secret.
    - `memory` ("1Gi"), `disk` ("1Gi"), `cpu` ("100m"): defaults of the Apps (Kf's own defaults).
    - `timeout` ("1h"): default time limit of a task, "0" for none.
    - `keep` (500): how many tasks an App keeps.
    - `kubeconfig` (a path or the content), `context`: the cluster. Without them: the Kubernetes
      provider in `opts`, else the stack's `kubernetes:*` configuration, else KUBECONFIG or ~/.kube/config.

    Raises pulumi.RunError for bad input.
    """

    namespace: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        namespace: pulumi.Input[str] | kubernetes.core.v1.Namespace | None = None,
        env: Env | None = None,
        memory: str = "1Gi",
        disk: str = "1Gi",
        cpu: str | float = "100m",
        timeout: str = "1h",
        keep: int = DEFAULT_KEEP,
        kubeconfig: pulumi.Input[str] | None = None,
        context: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        checked(lambda: naming.check_name("space", name))
        owner = f"space {name!r}"
        self.defaults: dict[str, Any] = checked(
            lambda: {
                "memory": quantities.size(memory, f"{owner}: memory"),
                "disk": quantities.size(disk, f"{owner}: disk"),
                "cpu": quantities.cpu(cpu, f"{owner}: cpu"),
                "timeout": quantities.duration(timeout, f"{owner}: timeout"),
                "keep": quantities.count(keep, f"{owner}: keep"),
            }
        )
        props: dict[str, Any] = {"name": name, **self.defaults}
        super().__init__("kf:index:Space", name, props, opts)
        self.name = name
        self.provider, settings = self._choose_provider(kubeconfig, context)
        self.connection = connection_of(settings)
        self.owns_namespace = namespace is None
        self.resources: list[pulumi.Resource] = []
        self.namespace = self._namespace(namespace)
        metadata = {"namespace": self.namespace, "labels": labels()}
        self.layer = Layer(self, owner, env, f"kf.{name}.env", metadata, self._child_options())
        self.register_outputs({"namespace": self.namespace})

    def _choose_provider(
        self, kubeconfig: pulumi.Input[str] | None, context: pulumi.Input[str] | None
    ) -> tuple[pulumi.ProviderResource, dict[str, Any]]:
        given = self.get_provider(KUBERNETES)
        if given and kubeconfig is None and context is None:
            flags = ("enable_secret_mutable", "enable_config_map_mutable")
            if any(given.__dict__.get(flag) is None for flag in flags):
                pulumi.log.warn(
                    "the Kubernetes provider does not set enable_secret_mutable and enable_config_map_mutable: "
                    "a changed Secret or ConfigMap is deleted and made anew, and a starting task may miss it",
                    self,
                )
            return given, settings_of(given)
        stack = pulumi.Config("kubernetes")
        settings: dict[str, Any] = {
            "kubeconfig": pulumi.Output.secret(kubeconfig) if kubeconfig is not None else stack.get("kubeconfig"),
            "context": context if context is not None else stack.get("context"),
            "cluster": stack.get("cluster"),
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
        created = kubernetes.core.v1.Namespace(
            self.name, metadata={"name": self.name, "labels": labels()}, opts=self._child_options()
        )
        self.resources.append(created)
        # The name is a plain string and the order comes from depends_on: a name taken from an Output
        # would make everything below look replaced in a preview that replaces the namespace.
        return pulumi.Output.from_input(self.name)

    def _child_options(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self.provider, depends_on=self.resources)

    @property
    def stack(self) -> str:
        """`<project>.<stack>`, which owns what is made in this Space."""
        return stack_id()
