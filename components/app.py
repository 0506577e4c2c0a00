"""An App as Kf's `kf push --task` makes it: described for its tasks, not started, without a route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from .core import command as commands
from .core import naming, pipelinerun, quantities
from .core.command import Command
from .core.environment import merge
from .core.pipelinerun import Resources, TaskSpec
from .history import History
from .inputs import Env, Layer, checked, plain, stack_id, template_data, urn_of, values_of
from .inputs import labels as own_labels
from .space import Space


class App(pulumi.ComponentResource):
    """What the tasks of an application have in common.

    - `space`: where it lives. `image`: a ready image, best with a digest.
    - `command`: the start command that a Task without its own inherits. A string is the argument of
      `/bin/sh -c` or, with `entrypoint`, its last argument; a list is the whole argv. `args` follow it.
    - `env`: variables, plain or secret; they win over the Space's. Secret ones go to a Kubernetes Secret.
    - `memory`, `disk` ("512M", "1Gi"; request and limit), `cpu` ("100m"; request), `cpu_limit` (none).
    - `keep`: how many tasks stay, with pod and log (default: the Space's, 500).
    - `labels`, `annotations`, `node_selector`, `security_context`: of every task's run and pod.
    - `app_name`: its name in the cluster, by default `name`.

    A changed App changes the next run of its tasks; only another image, command, args or entrypoint
    runs them again. Raises pulumi.RunError for bad input.
    """

    app_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        space: Space,
        image: pulumi.Input[str],
        app_name: str | None = None,
        command: pulumi.Input[Command] | None = None,
        args: pulumi.Input[Sequence[str]] | None = None,
        entrypoint: pulumi.Input[Command] | None = None,
        env: Env | None = None,
        memory: str | None = None,
        disk: str | None = None,
        cpu: str | float | None = None,
        cpu_limit: str | float | None = None,
        keep: int | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        node_selector: Mapping[str, str] | None = None,
        security_context: Mapping[str, Any] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        checked(lambda: naming.check_name("app", name))
        own_name = checked(lambda: naming.check_name("app", app_name if app_name is not None else name))
        owner = f"app {own_name!r}"
        resources = checked(lambda: _resources(owner, space, memory, disk, cpu, cpu_limit))
        kept = checked(lambda: quantities.count(space.defaults["keep"] if keep is None else keep, f"{owner}: keep"))
        given_image = plain(image, f"image of {owner}")
        props = {"image": given_image, "keep": kept, **resources.__dict__}
        super().__init__("kf:index:App", name, props, opts)
        # The base class has set every key of props as an attribute; from here on they are ours again.
        self.name, self.owner, self.space, self.resources, self.keep = own_name, owner, space, resources, kept
        self.image = given_image
        self.start = pulumi.Output.all(
            command=plain(command, f"command of {owner}"),
            args=plain(args, f"args of {owner}"),
            entrypoint=plain(entrypoint, f"entrypoint of {owner}"),
        )
        self.pod = pulumi.Output.all(
            labels=plain(labels or {}, f"labels of {owner}"),
            annotations=plain(annotations or {}, f"annotations of {owner}"),
            node_selector=plain(node_selector or {}, f"node_selector of {owner}"),
            security_context=plain(security_context, f"security_context of {owner}"),
        )
        child = pulumi.ResourceOptions(parent=self, provider=space.provider, depends_on=space.resources)
        metadata = {"namespace": space.namespace, "labels": own_labels(self.name)}
        self.layer = Layer(self, self.owner, env, f"kf-{self.name}.env", metadata, child)
        self.service_account = f"kf-{self.name}"
        account = kubernetes.core.v1.ServiceAccount(
            name,
            metadata={**metadata, "name": self.service_account},
            automount_service_account_token=False,
            opts=child,
        )
        self.children: list[pulumi.Resource] = [
            *space.resources, *space.layer.resources, *self.layer.resources, account, self._template(name, child),
        ]  # fmt: skip
        self._runs: list[pulumi.Output[str]] = []
        self._history(name, opts)
        self.app_name = pulumi.Output.from_input(self.name)
        self.register_outputs({"app_name": self.app_name})

    def spec(self, task: str, argv: Sequence[str], layers: Sequence[tuple[str, Any]], **more: Any) -> TaskSpec:
        """The specification of a task of this App from resolved values."""
        image, pod, namespace, resources = (more.pop(key) for key in ("image", "pod", "namespace", "resources"))
        return TaskSpec(
            namespace=namespace,
            app=self.name,
            task=task,
            stack=stack_id(),
            image=image,
            argv=argv,
            env=merge([(name, values_of(values)) for name, values in layers]),
            resources=resources,
            service_account=self.service_account,
            labels=pod["labels"],
            annotations=pod["annotations"],
            node_selector=pod["node_selector"],
            security_context=pod["security_context"],
            **more,
        )

    def add_run(self, run: pulumi.Output[str]) -> None:
        """Lets the App's history know of a run that this update may make."""
        self._runs.append(run)

    def _declared_runs(self) -> pulumi.Output[list[str]]:
        return pulumi.Output.all(*self._runs)

    def _template(self, name: str, opts: pulumi.ResourceOptions) -> kubernetes.core.v1.ConfigMap:
        """What `kf run-task` submits: the App's own start command, or none if it has none."""

        def data(given: dict[str, Any]) -> dict[str, str]:
            start = given["start"]
            has_command = start["command"] is not None or start["entrypoint"] is not None
            argv = checked(
                lambda: (
                    commands.resolve(self.owner, start["entrypoint"], None, None, start["command"], start["args"])
                    if has_command
                    else []
                )
            )
            layers = [("Space", given["space"]), ("App", given["app"])]
            spec = self.spec(
                self.name, argv, layers, image=given["image"], pod=given["pod"], namespace=given["namespace"],
                resources=self.resources, timeout=self.space.defaults["timeout"],
            )  # fmt: skip
            settings = {"entrypoint": start["entrypoint"], "keep": self.keep, "stack": stack_id(), "app": self.name}
            return template_data(pipelinerun.render(spec), settings)

        content = pulumi.Output.all(
            start=self.start, image=self.image, pod=self.pod, namespace=self.space.namespace,
            space=self.space.layer.values, app=self.layer.values,
        ).apply(data)  # fmt: skip
        metadata = {
            "name": f"kf-{self.name}",
            "namespace": self.space.namespace,
            "labels": {**own_labels(self.name), pipelinerun.TEMPLATE: "app"},
        }
        return kubernetes.core.v1.ConfigMap(name, metadata=metadata, data=content, opts=opts)

    def _history(self, name: str, opts: pulumi.ResourceOptions | None) -> None:
        # The list is read when the program's body has run, so that it holds every Task declared in it.
        runs: pulumi.Output[list[str]] = pulumi.Output.from_input("").apply(lambda _: self._declared_runs())
        props = {
            "__preview": pulumi.runtime.is_dry_run(),
            "connection": self.space.connection,
            "stack": stack_id(),
            "stack_label": naming.label_value(stack_id()),
            "namespace": self.space.namespace,
            "owns_namespace": self.space.owns_namespace,
            "app": self.name,
            "keep": self.keep,
            "runs": runs,
            "urn": urn_of(self),
        }
        # A sibling of the App, never its child: depends_on=[app] must not wait for the App's tasks.
        parent = opts.parent if opts else None
        retain = opts.retain_on_delete if opts else None
        History(name, props, pulumi.ResourceOptions(parent=parent, depends_on=self.children, retain_on_delete=retain))


def _resources(owner: str, space: Space, memory: Any, disk: Any, cpu: Any, cpu_limit: Any) -> Resources:
    defaults = space.defaults
    return Resources(
        memory=defaults["memory"] if memory is None else quantities.size(memory, f"{owner}: memory"),
        disk=defaults["disk"] if disk is None else quantities.size(disk, f"{owner}: disk"),
        cpu=defaults["cpu"] if cpu is None else quantities.cpu(cpu, f"{owner}: cpu"),
        cpu_limit=None if cpu_limit is None else quantities.cpu(cpu_limit, f"{owner}: cpu_limit"),
    )
