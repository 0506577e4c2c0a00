"""An App as Kf's `kf push --task` makes it: described for its tasks, not started, without a route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import marks, naming, quantities
from ..core.pods import settings as pod
from ..core.retention import policy
from ..core.run import environment, launcher, pipelinerun, system
from ..core.run.pipelinerun import Resources, TaskSpec
from ..history import History
from .bindings import Attachments
from .build import Build
from .image_digest import pinned as with_digest
from .inputs import Args, Command, Env, Layer, checked, depends_on, plain, stack_id, template_data, urn_of, values_of
from .inputs import labels as own_labels
from .pods import pod_settings, pods_of_tasks, pull_secrets
from .security_group import SecurityGroup, policies
from .service import Binding, ServiceInstance
from .source import Source, as_source
from .space import Space


class App(pulumi.ComponentResource):
    """What the tasks of an application have in common.

    - `space`: where it lives. `image`: a ready image, best with a digest. `source`, in its place: a folder with
      a Dockerfile, or a Source (also for buildpacks); it is built in the cluster when its files change.
    - `resolve_tag` (False): the image's tag is resolved to its digest, which is then what tasks run and what a
      change is noticed by. When the registry does not answer, the digest recorded last stands.
    - `command`: the start command that a Task without its own inherits. A string is the argument of
      `/bin/sh -c` or, with `entrypoint`, its last argument; a list is the whole argv. `args` follow it.
      What buildpacks made gets both through their launcher, and without any starts its default process.
    - `env`: variables, plain or secret; they win over the Space's. Secret ones go to a Kubernetes Secret.
    - `memory`, `disk` ("512M", "1Gi"; request and limit), `cpu` ("100m"; request), `cpu_limit` (none).
    - `keep`: how many tasks stay, with pod and log (default: the Space's, 500). Beyond them stay the newest
      `keep_failed` (0) failed ones, those `pinned` (names of runs; or `kf pin`), the last success, the last failure
      and what runs. `max_age` ("30d", "12h"; none): what is older goes, if it is none of the last four.
    - `min_history` ("7d"; none): warns in every preview where schedules and the past rate of runs let what is kept
      reach back less far. "0" takes back a Space's `max_age` or `min_history`.
    - `services`: ServiceInstances, or Bindings of them. Tasks get VCAP_SERVICES, DATABASE_URL and files
      under /bindings/<name>/; with `vcap_services="file"` the first as the file that
      VCAP_SERVICES_FILE_PATH names, for what is too large for a variable.
    - `security_groups`: network rules for the pods of the App and its tasks.
    - `labels`, `annotations`, `node_selector`, `tolerations`, `affinity`, `priority_class`,
      `runtime_class`, `volumes`, `volume_mounts`, `pod_spec` (dnsConfig and other fields of Tekton's pod
      template): of every task's run and pod, on top of the Space's and written as Kubernetes does.
    - `security_context`: on top of the `restricted` Pod Security level, which tasks keep by default.
    - `service_account`: an existing one in place of the App's own; `image_pull_secrets`: names;
      `automount_service_account_token` (False): for tasks that talk to Kubernetes.
    - `app_name`: its name in the cluster, by default `name`.

    A changed App changes the next run of its tasks; only another image, command, args or entrypoint
    runs them again. Raises pulumi.RunError for bad input.
    """

    app_name: pulumi.Output[str]
    labels: pulumi.Output[dict[str, str]]
    env: pulumi.Output[list[dict[str, Any]]]

    def __init__(
        self,
        name: str,
        *,
        space: Space,
        image: pulumi.Input[str] | None = None,
        source: str | Source | None = None,
        resolve_tag: bool = False,
        app_name: str | None = None,
        command: Command | None = None,
        args: Args | None = None,
        entrypoint: Command | None = None,
        env: Env | None = None,
        memory: str | None = None,
        disk: str | None = None,
        cpu: str | float | None = None,
        cpu_limit: str | float | None = None,
        keep: int | None = None,
        keep_failed: int | None = None,
        max_age: str | None = None,
        pinned: Sequence[str] = (),
        min_history: str | None = None,
        services: Sequence[ServiceInstance | Binding] = (),
        vcap_services: str = "env",
        security_groups: Sequence[SecurityGroup] = (),
        labels: pulumi.Input[Mapping[str, str]] | None = None,
        annotations: pulumi.Input[Mapping[str, str]] | None = None,
        node_selector: pulumi.Input[Mapping[str, str]] | None = None,
        tolerations: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        affinity: pulumi.Input[Mapping[str, Any]] | None = None,
        volumes: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        volume_mounts: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        priority_class: pulumi.Input[str] | None = None,
        runtime_class: pulumi.Input[str] | None = None,
        pod_spec: pulumi.Input[Mapping[str, Any]] | None = None,
        security_context: pulumi.Input[Mapping[str, Any]] | None = None,
        service_account: str | None = None,
        image_pull_secrets: pulumi.Input[Sequence[str]] | None = None,
        automount_service_account_token: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        checked(lambda: naming.check_name("app", name))
        own_name = checked(lambda: naming.check_name("app", app_name if app_name is not None else name))
        owner = f"app {own_name!r}"
        resources = checked(lambda: _resources(owner, space, memory, disk, cpu, cpu_limit))
        kept = checked(
            lambda: policy.policy(
                owner, space.policy, keep=keep, keep_failed=keep_failed, max_age=max_age, pinned=pinned
            )
        )
        least = checked(lambda: policy.min_history(owner, kept, min_history, space.min_history))
        built_from = checked(lambda: as_source(owner, image, source, resolve_tag))
        given_image = plain(image, f"image of {owner}")
        origin = {"source": built_from.path} if built_from else {"image": given_image}
        props = {**origin, **kept.settings(), **resources.__dict__}
        super().__init__("kf:index:App", name, props, opts)
        # The base class has set every key of props as an attribute; from here on they are ours again.
        self.name, self.owner, self.space, self.resources = own_name, owner, space, resources
        self.policy, self.min_history = kept, least
        self.image: pulumi.Output[str] = with_digest(self, own_name, space, given_image) if resolve_tag else given_image
        child = pulumi.ResourceOptions(parent=self, provider=space.provider, depends_on=space.resources)
        metadata = {"namespace": space.namespace, "labels": own_labels(self.name)}
        self.layer = Layer(self, self.owner, env, f"kf-{self.name}.env", metadata, child)
        self.attachments = Attachments(owner, own_name, space, services, vcap_services, metadata, child)
        given = {
            "labels": labels, "annotations": annotations, "node_selector": node_selector, "tolerations": tolerations,
            "affinity": affinity, "volumes": volumes, "volume_mounts": volume_mounts, "pod_spec": pod_spec,
            "priority_class": priority_class, "runtime_class": runtime_class, "image_pull_secrets": image_pull_secrets,
            "security_context": security_context,
        }  # fmt: skip
        self._token = automount_service_account_token
        self.pod = pulumi.Output.all(space.pod, pod_settings(owner, given)).apply(
            lambda both: pods_of_tasks(
                self,
                owner,
                pod.merge(*both),
                added=self.attachments.pod,
                level=space.pod_security,
                own_account=service_account is None,
                token=automount_service_account_token,
            )
        )
        processes = None
        if built_from:
            retain = opts.retain_on_delete if opts else None
            build = Build(self, name, own_name, space, built_from, self.pod, child, retain, depends_on(opts))
            self.image, processes = build.image, build.processes if entrypoint is None else None
        self.start = pulumi.Output.all(
            command=plain(command, f"command of {owner}"),
            args=plain(args, f"args of {owner}"),
            entrypoint=plain(entrypoint if processes is None else launcher.LAUNCHER, f"entrypoint of {owner}"),
            processes=processes,
        )
        self.process_types: pulumi.Output[list[str]] = pulumi.Output.from_input(processes or {"types": []})["types"]
        account = self._account(name, service_account, metadata, child)
        selector = {marks.NAME: own_name}
        self.children: list[pulumi.Resource] = [
            *space.resources, *space.beside, *space.layer.resources, *self.layer.resources,
            *self.attachments.resources, *account,
            *policies(owner, security_groups, f"kf-{own_name}", selector, metadata, child),
        ]  # fmt: skip
        self.children.append(self._template(name, child))
        self._runs: list[pulumi.Output[str]] = []
        self._schedules: list[dict[str, str]] = []
        self._history(name, opts)
        self.app_name = pulumi.Output.from_input(self.name)
        self.labels = pulumi.Output.from_input(own_labels(self.name))
        self.register_outputs({"app_name": self.app_name, "labels": self.labels, "env": self.env})

    def spec(self, task: str, argv: Sequence[str], layers: Sequence[tuple[str, Any]], **more: Any) -> TaskSpec:
        """The specification of a task of this App from resolved values."""
        image, settings, namespace, resources = (more.pop(key) for key in ("image", "pod", "namespace", "resources"))
        of_platform = system.variables(stack_id(), namespace, self.name, resources.memory, resources.disk)
        merged = [(name, values_of(values)) for name, values in layers]
        merged += [(environment.BINDINGS, self.attachments.values), (environment.SYSTEM, of_platform)]
        return TaskSpec(
            namespace=namespace,
            app=self.name,
            task=task,
            stack=stack_id(),
            image=image,
            argv=argv,
            env=environment.merge(merged),
            resources=resources,
            service_account=self.service_account,
            labels=settings["labels"],
            annotations=settings["annotations"],
            node_selector=settings["node_selector"],
            security_context=settings["security_context"],
            volumes=settings["volumes"],
            volume_mounts=settings["volume_mounts"],
            pod_template=settings["template"],
            **more,
        )

    def _account(
        self, name: str, given: str | None, metadata: dict[str, Any], opts: pulumi.ResourceOptions
    ) -> list[pulumi.Resource]:
        self.service_account = f"kf-{self.name}" if given is None else given
        if given is not None:
            checked(lambda: naming.check_text(f"service_account of {self.owner}", given))
            return []
        account = kubernetes.core.v1.ServiceAccount(
            name,
            metadata={**metadata, "name": self.service_account},
            automount_service_account_token=self._token,
            image_pull_secrets=self.pod.apply(pull_secrets),
            opts=opts,
        )
        return [account]

    def add_run(self, run: pulumi.Output[str]) -> None:
        """Lets the App's history know of a run that this update may make."""
        self._runs.append(run)

    def add_schedule(self, task: str, schedule: str, time_zone: str) -> None:
        """Lets the App's history know how often something runs."""
        self._schedules.append({"task": task, "schedule": schedule, "time_zone": time_zone})

    def _declared_runs(self) -> pulumi.Output[list[str]]:
        # With the Runs behind them: a destroy that cannot delete the runs stops before it forgets their records.
        return pulumi.Output.all(*self._runs)

    def _template(self, name: str, opts: pulumi.ResourceOptions) -> kubernetes.core.v1.ConfigMap:
        """What `kf run-task` submits: the App's own start command, or none if it has none."""

        def content(given: dict[str, Any]) -> dict[str, Any]:
            start = given["start"]
            argv = checked(lambda: launcher.argv(self.owner, start) if launcher.has_command(start) else [])
            layers = [("Space", given["space"]), ("App", given["app"])]
            spec = self.spec(
                self.name, argv, layers, image=given["image"], pod=given["pod"], namespace=given["namespace"],
                resources=self.resources, timeout=self.space.defaults["timeout"],
            )  # fmt: skip
            settings = {"entrypoint": start["entrypoint"], "stack": stack_id(), "app": self.name}
            settings.update(self.policy.settings(), **self.space.archiving)
            settings["layers"] = environment.origins(spec.env)
            manifest = pipelinerun.render(spec)
            return {"data": template_data(manifest, settings), "env": pipelinerun.step_of(manifest)["env"]}

        rendered = pulumi.Output.all(
            start=self.start, image=self.image, pod=self.pod, namespace=self.space.namespace,
            space=self.space.layer.values, app=self.layer.values,
        ).apply(content)  # fmt: skip
        self.env = rendered.apply(lambda found: found["env"])
        metadata = {
            "name": f"kf-{self.name}",
            "namespace": self.space.namespace,
            "labels": {**own_labels(self.name), marks.TEMPLATE: "app"},
        }
        return kubernetes.core.v1.ConfigMap(
            name, metadata=metadata, data=rendered.apply(lambda found: found["data"]), opts=opts
        )

    def _history(self, name: str, opts: pulumi.ResourceOptions | None) -> None:
        # The lists are read when the program's body has run, so that they hold every Task declared in it.
        declared = pulumi.Output.from_input("")
        runs: pulumi.Output[list[str]] = declared.apply(lambda _: self._declared_runs())
        props = {
            "__preview": pulumi.runtime.is_dry_run(),
            "connection": self.space.connection,
            "stack": stack_id(),
            "stack_label": naming.label_value(stack_id()),
            "namespace": self.space.namespace,
            "owns_namespace": self.space.owns_namespace,
            "app": self.name,
            **self.policy.settings(),
            **self.space.archiving,
            "min_history": self.min_history,
            "schedules": declared.apply(lambda _: list(self._schedules)),
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
