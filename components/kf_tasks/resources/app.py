"""An App as Kf's `kf push --task` makes it: described for its tasks, not started, without a route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import marks, naming
from ..core.errors import InvalidInput
from ..core.retention import policy
from ..core.run import pipelinerun
from ..core.run.launcher import LAUNCHER, Start
from ..core.run.outcome import RUNNING
from ..core.run.pipelinerun import Resources
from ..core.state import LOST, of_stack
from ..core.template import TemplateSettings
from ..history import History
from ..provider import adapter
from . import image_digest, inputs, names, targets
from .approval import approved
from .arguments import of_component
from .bindings import Attachments
from .build import Build
from .declaration import registered, unless, variables
from .environment import Env, EnvFrom, Layer
from .inheritance import inheriting
from .inputs import Age, Args, Command, Cores, Fields, FieldsList, Names, Path, Size, Texts, computed, plain, urn_of
from .notify import Notify, notified, told
from .plan import AppPlan, Roll
from .pods import TaskPods, pod_settings, pods_of_tasks
from .security_group import SecurityGroup, policies
from .service import Binding, ServiceInstance
from .source import Source, as_source
from .space import Space
from .survivors import surviving, survivors
from .template import kept, stack_id, template_data
from .template import labels as own_labels

TYPE = "kf:index:App"


class App(pulumi.ComponentResource):
    """What the tasks of an application have in common.

    - `space`: where it lives. `image`: a ready image, best with a digest. `source`, in its place: a folder with
      a Dockerfile, or a Source (also for buildpacks); it is built in the cluster when its files change.
    - `resolve_tag` (False): the image's tag is resolved to its digest, which is then what tasks run and what a
      change is noticed by. When the registry does not answer, the digest recorded last stands.
    - `command`: the start command that a Task without its own inherits. A string is the argument of
      `/bin/sh -c` or, with `entrypoint`, its last argument; a list is the whole argv. `args` follow it.
      What buildpacks made gets both through their launcher, and without any starts its default process.
    - `env`: variables, plain or secret; they win over the Space's. Secret ones go to a Kubernetes Secret. A SecretKey
      or ConfigKey is one key of an existing Secret or ConfigMap.
    - `env_from`: SecretRefs and ConfigRefs, whose every key is a variable; below `env`, above the Space's.
    - `memory`, `disk` ("512M", "1Gi"; request and limit), `cpu` ("100m"; request), `cpu_limit` (none).
    - `keep`: how many tasks stay, with pod and log (default: the Space's, 500). Beyond them stay the newest
      `keep_failed` (0) failed ones, those `pinned` (names of runs; or `kf pin`), the last success, the last failure
      and what runs. `max_age` ("30d", "12h"; none): what is older goes, if it is none of the last four.
    - `min_history` ("7d"; none): warns in every preview where schedules and the past rate of runs let what is kept
      reach back less far. "0" takes back a Space's `max_age` or `min_history`.
    - `services`: ServiceInstances, or Bindings of them. Tasks get VCAP_SERVICES, DATABASE_URL and files
      under `/bindings/<name>/`; with `vcap_services="file"` the first as the file that
      VCAP_SERVICES_FILE_PATH names, for what is too large for a variable.
    - `notify`: who is told how its tasks end (default: whom the Space names; [] for nobody).
    - `security_groups`: network rules for the pods of the App and its tasks.
    - `labels`, `annotations`, `node_selector`, `tolerations`, `affinity`, `priority_class`,
      `runtime_class`, `volumes`, `volume_mounts`, `pod_spec` (dnsConfig and other fields of Tekton's pod
      template): of every task's run and pod, on top of the Space's and written as Kubernetes does.
    - `security_context`: on top of the `restricted` Pod Security level, which tasks keep by default. They run as the
      number that an image built or resolved here has as its USER, else as user 1000, unless `runAsUser` says another.
    - `service_account`: an existing one in place of the App's own; `image_pull_secrets`: names;
      `automount_service_account_token` (False): for tasks that talk to Kubernetes.
    - `app_name`: its name in the cluster, by default `name`.

    Outputs: `app_name`, `image` (with the digest of what was built), `env`, `env_from` and `labels` (for a Deployment
    of one's own beside it), `process_types` (those that buildpacks found).

    A changed App changes the next run of its tasks; only another image, command, args or entrypoint
    runs them again. Raises pulumi.RunError for bad input.
    """

    app_name: pulumi.Output[str]
    image: pulumi.Output[str]
    labels: pulumi.Output[dict[str, str]]
    env: pulumi.Output[list[Any]]  # of a container; what Kubernetes takes here type checkers know by classes alone
    env_from: pulumi.Output[list[dict[str, Any]]]
    process_types: pulumi.Output[list[str]]

    @of_component("app")
    def __init__(
        self,
        name: str,
        *,
        space: Space,
        image: pulumi.Input[str] | None = None,
        source: Path | Source | None = None,
        resolve_tag: bool = False,
        app_name: str | None = None,
        command: Command | None = None,
        args: Args | None = None,
        entrypoint: Command | None = None,
        env: Env | None = None,
        env_from: EnvFrom = (),
        memory: Size | None = None,
        disk: Size | None = None,
        cpu: Cores | None = None,
        cpu_limit: Cores | None = None,
        keep: int | None = None,
        keep_failed: int | None = None,
        max_age: Age | None = None,
        pinned: Sequence[str] = (),
        min_history: Age | None = None,
        services: Sequence[ServiceInstance | Binding] = (),
        vcap_services: Literal["env", "file"] = "env",
        notify: Notify | None = None,
        security_groups: Sequence[SecurityGroup] = (),
        labels: Names | None = None,
        annotations: Names | None = None,
        node_selector: Names | None = None,
        tolerations: FieldsList | None = None,
        affinity: Fields | None = None,
        volumes: FieldsList | None = None,
        volume_mounts: FieldsList | None = None,
        priority_class: pulumi.Input[str] | None = None,
        runtime_class: pulumi.Input[str] | None = None,
        pod_spec: Fields | None = None,
        security_context: Fields | None = None,
        service_account: str | None = None,
        image_pull_secrets: Texts | None = None,
        automount_service_account_token: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        naming.check_name("app", name)
        own_name = naming.check_name("app", app_name if app_name is not None else name)
        owner = f"app {own_name!r}"
        other = names.holder(space, ("app", own_name), name)
        if other:
            raise InvalidInput(
                f"{owner}: two Apps of space {space.name!r} have this name in the cluster, {other!r} and {name!r} in "
                "Pulumi: give one of them another app_name, or they would delete each other's runs"
            )
        names.only_one(space, "app", own_name, name, "app_name")
        resources = Resources.over(
            space.defaults.resources, owner, memory=memory, disk=disk, cpu=cpu, cpu_limit=cpu_limit
        )
        chosen = policy.policy(owner, space.policy, keep=keep, keep_failed=keep_failed, max_age=max_age, pinned=pinned)
        least = policy.min_history(owner, chosen, min_history, space.min_history)
        built_from = as_source(owner, image, source, resolve_tag)
        if service_account is not None:
            naming.check_text(f"service_account of {owner}", service_account)
        given_image = plain(image, f"image of {owner}")
        origin = {"source": built_from.path} if built_from else {"image": given_image}
        props = {
            **origin,
            **chosen.settings(),
            **vars(resources),
            "space": space.name,
            **registered(
                builder=built_from and built_from.builder,
                resolve_tag=unless(resolve_tag, False),
                app_name=unless(own_name, name),
                command=command,
                args=args,
                entrypoint=entrypoint,
                min_history=least,
                services=[service.name for service in services],
                vcap_services=unless(vcap_services, "env"),
                security_groups=[group.name for group in security_groups],
                volumes=volumes,
                pod_spec=pod_spec,
                notify=told(notify),
                security_context=security_context,
                service_account=service_account,
                automount_service_account_token=unless(automount_service_account_token, False),
            ),
            **variables(env),
        }
        super().__init__(TYPE, name, props, inheriting(opts))
        # The base class has set every key of props as an attribute; from here on they are ours again.
        # The template is made before all else, since it is what tells whose the App is: where it is another one's
        # it cannot be made, and then nothing that they would share is in the state of both.
        templates = list[pulumi.Resource]()
        behind = inputs.afterwards(lambda: [*space.resources, *templates])
        child = pulumi.ResourceOptions(parent=self, provider=space.provider, depends_on=behind)
        metadata = {"namespace": space.namespace, "labels": own_labels(own_name)}
        layer = Layer(self, owner, env, env_from, f"kf-{own_name}.env", metadata, child, below=[space.layer])
        chosen_notify = notified(owner, notify, space.notified, f"kf-{own_name}.notify", metadata, child)
        attachments = Attachments(owner, own_name, space, services, vcap_services, metadata, child)
        attachments.say_missing(self, owner, [command, args])
        said = pod_settings(
            owner, labels=labels, annotations=annotations, node_selector=node_selector, tolerations=tolerations,
            affinity=affinity, volumes=volumes, volume_mounts=volume_mounts, pod_spec=pod_spec,
            priority_class=priority_class, runtime_class=runtime_class, image_pull_secrets=image_pull_secrets,
            security_context=security_context,
        )  # fmt: skip

        def placed(both: list[Any]) -> TaskPods:
            return pods_of_tasks(
                self,
                owner,
                both[1].over(both[0]),
                added=attachments.pod(both[2]),
                level=space.pod_security,
                own_account=service_account is None,
                token=automount_service_account_token,
            )

        pod = computed(pulumi.Output.all(space.pod, said, attachments.names), placed)
        processes = None
        user: pulumi.Output[str | None] = pulumi.Output.from_input(None)
        if built_from:
            build = Build(self, name, own_name, space, built_from, pod, opts)
            self.image, user, processes = build.image, build.user, build.processes if entrypoint is None else None
        elif resolve_tag:
            self.image, user = image_digest.of(self, own_name, space, given_image)
        else:
            self.image = given_image
        start = pulumi.Output.all(
            command=plain(command, f"command of {owner}"),
            args=plain(args, f"args of {owner}"),
            entrypoint=plain(entrypoint if processes is None else LAUNCHER, f"entrypoint of {owner}"),
            processes=processes,
        ).apply(lambda found: Start(**found))
        self.process_types = pulumi.Output.from_input(processes).apply(lambda found: list(found.types) if found else [])
        account = []
        if service_account is None:
            token = automount_service_account_token
            account.append(_account(name, own_name, pod, token, metadata, child))
        groups = policies(owner, security_groups, f"kf-{own_name}", {marks.NAME: own_name}, metadata, child)
        space.keeps(owner, chosen.keep)
        plan = AppPlan(
            name=own_name,
            space=space,
            resources=resources,
            policy=chosen,
            service_account=f"kf-{own_name}" if service_account is None else service_account,
            image=self.image,
            start=start,
            pod=computed(pulumi.Output.all(pod, user), lambda both: both[0].as_user(self, owner, both[1])),
            layer=layer,
            bindings=attachments.values,
            secrets={**space.layer.secrets, **layer.secrets, **attachments.secrets},
            notified=chosen_notify,
            prerequisites=(
                *space.prerequisites, *layer.resources, *chosen_notify.resources, *attachments.resources, *account,
                *groups,
            ),
        )  # fmt: skip
        rendered = plan.rendered(
            owner,
            own_name,
            computed(start, lambda found: found.argv(owner) if found.is_command else []),
            resources=resources,
            timeout=space.defaults.timeout,
        )
        settings = TemplateSettings(stack_id(), own_name, policy=chosen, log_archive=space.log_archive)
        template = kubernetes.core.v1.ConfigMap(
            name,
            metadata={
                "name": f"kf-{own_name}",
                "namespace": space.namespace,
                "labels": {**own_labels(own_name), marks.TEMPLATE: "app"},
                "annotations": {marks.URN: urn_of(self).apply(of_stack)},
            },
            data=computed(
                pulumi.Output.all(rendered, start),
                lambda both: template_data(
                    both[0].manifest,
                    replace(settings, entrypoint=both[1].entrypoint, layers=both[0].layers, sources=both[0].sources),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, provider=space.provider, depends_on=space.resources),
        )
        templates.append(template)
        self._plan = replace(plan, prerequisites=(*plan.prerequisites, template))
        _history(self, name, self._plan, least, opts)
        self.app_name = pulumi.Output.from_input(own_name)
        self.labels = pulumi.Output.from_input(own_labels(own_name))
        self.env = rendered.apply(lambda found: pipelinerun.step_of(found.manifest)["env"])
        self.env_from = rendered.apply(lambda found: pipelinerun.step_of(found.manifest).get("envFrom") or [])
        self.register_outputs({"app_name": self.app_name, "labels": self.labels, "env": self.env})


def _account(
    name: str, own_name: str, pod: pulumi.Output[TaskPods], token: bool, metadata: dict[str, Any],
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:  # fmt: skip
    return kubernetes.core.v1.ServiceAccount(
        name,
        metadata={**metadata, "name": f"kf-{own_name}"},
        automount_service_account_token=token,
        image_pull_secrets=pod.apply(lambda found: found.pull_secrets),
        opts=opts,
    )


def _history(app: App, name: str, plan: AppPlan, min_history: str, opts: pulumi.ResourceOptions | None) -> None:
    # The lists are read when the program's body has run, so that they hold every Task declared in it; with the Runs
    # behind them a destroy that cannot delete the runs stops before it forgets their records.
    # The plugin sees no program's end: there a Run counts, and marks, by itself.
    def declared() -> Roll:
        plan.roll.closed = not adapter.in_plugin()
        return plan.roll

    roll = inputs.afterwards(declared)
    unfinished: pulumi.Output[list[str]] = roll.apply(_unfinished)
    counted = {} if adapter.in_plugin() else {
        "schedules": roll.apply(lambda found: list(found.schedules)),
        "tasks": roll.apply(lambda found: list(found.runs)),
        # Each name by itself: together they would be one unknown, and the preview could not count them.
        "runs": roll.apply(lambda found: [surviving(record.run, LOST) for record in found.runs.values()]),
        "unfinished": unfinished,
    }  # fmt: skip
    props = {
        "__preview": pulumi.runtime.is_dry_run(),
        **approved(),
        "connection": plan.space.connection,
        "stack": stack_id(),
        "stack_label": naming.label_value(stack_id()),
        "namespace": plan.space.namespace,
        "owns_namespace": plan.space.owns_namespace,
        "app": plan.name,
        **kept(plan.policy, plan.space.log_archive),
        "min_history": min_history,
        **counted,
        "urn": urn_of(app),
    }
    # A sibling of the App, never its child: depends_on=[app] must not wait for the App's tasks.
    history = History(
        name,
        props,
        pulumi.ResourceOptions(
            parent=opts.parent if opts else None,
            depends_on=survivors(plan.prerequisites),
            protect=opts.protect if opts else None,
            retain_on_delete=opts.retain_on_delete if opts else None,
            aliases=[_alias(alias) for alias in (opts.aliases if opts else None) or ()],
        ),
    )
    targets.tell(history, roll)


def _unfinished(roll: Roll) -> pulumi.Output[list[str]]:
    """The names of the runs that nobody has waited for and that had not ended when they were recorded."""
    records: list[pulumi.Output[list[str]]] = [
        pulumi.Output.all(surviving(record.run, LOST), surviving(record.state, "")) for record in roll.runs.values()
    ]
    unfinished: pulumi.Output[list[str]] = pulumi.Output.all(*records).apply(
        lambda found: [run for run, state in found if state == RUNNING]
    )
    return unfinished


def _alias(alias: Any) -> Any:
    """An alias of an App as one of its History: under an earlier name of the App it had that name, too."""
    if isinstance(alias, pulumi.Alias):
        return pulumi.Alias(name=alias.name, parent=alias.parent, stack=alias.stack, project=alias.project)
    if isinstance(alias, str):
        return alias.replace(f"{TYPE}::", f"{adapter.token('History', adapter.in_plugin())}::")
    return pulumi.Output.from_input(alias).apply(_alias)
