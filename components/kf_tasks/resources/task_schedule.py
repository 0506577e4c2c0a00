"""A TaskSchedule: a task that a schedule starts, in the environment of its App."""

from __future__ import annotations

import functools
import json
import re
import time
from typing import Literal

import pulumi
import pulumi_kubernetes as kubernetes

from ..calendar import Calendar
from ..core import marks, naming, quantities
from ..core.api import Object
from ..core.errors import InvalidInput
from ..core.marks import TASK
from ..core.schedule import cron, cronjob, slot
from ..core.template import JobSettings, TemplateSettings
from . import pod_code
from .app import App
from .approval import approved, check_schedule
from .arguments import of_component
from .declaration import registered, unless
from .digests import digests
from .environment import Env, EnvFrom
from .inheritance import inheriting
from .inputs import Args, Command, Cores, Size, Span, urn_of
from .notify import Notify
from .plan import AppPlan
from .task_template import TaskTemplate, declare
from .template import labels, stack_id, written

UTC = "Etc/UTC"
Policy = Literal["Allow", "Forbid", "Replace", "Always"]
SHORTEST_DEADLINE = 10  # the CronJob controller looks every ten seconds
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class TaskSchedule(pulumi.ComponentResource):
    """Runs at its times without any update, as one pod with one container, in the App's environment.

    - `app`, `command`, `args`, `env`, `env_from`, `memory`, `disk`, `cpu`, `timeout`, `start_timeout`, `retries`: as on
      Task.
    - `schedule`: five fields as cron has them ("0 3 * * mon-fri"), or "@daily" and the like. None (the default):
      only `kf run-job` starts it. `time_zone` ("Etc/UTC"): where clocks are put forward a time that does not
      exist is left out, where they are put back a time that exists twice comes twice; the preview says when.
    - `concurrency_policy`: "Allow" (the default; Kf's "Always" too), "Forbid" (a time that comes while the task
      runs is left out) or "Replace" (what runs is cancelled first).
    - `suspend` (False): True starts nothing new. `starting_deadline` (none; "10m"): a time that was missed,
      because the cluster was down, is made up for within this span; of several the last one.
    - `notify`: who is told how its tasks end (default: whom the App names; [] for nobody).
    - `catch_up` (False): also make up for the last time that went by while it was suspended.

    A change while the task runs changes nothing for what runs; removing it cancels that. Runs belong to the
    App's history, and its `keep` holds between updates too. Raises pulumi.RunError for bad input.
    """

    cron_job: pulumi.Output[str]

    @of_component("job")
    def __init__(
        self,
        name: str,
        *,
        app: App,
        command: Command | None = None,
        args: Args | None = None,
        schedule: str | None = None,
        time_zone: str = UTC,
        concurrency_policy: Policy = "Allow",
        suspend: bool = False,
        starting_deadline: Span | None = None,
        catch_up: bool = False,
        env: Env | None = None,
        env_from: EnvFrom = (),
        memory: Size | None = None,
        disk: Size | None = None,
        cpu: Cores | None = None,
        timeout: Span | None = None,
        start_timeout: Span = "10m",
        retries: int = 0,
        notify: Notify | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        policy = str(slot.policy(concurrency_policy))
        plan, space = app._plan, app._plan.space
        patience = quantities.seconds(start_timeout, f"start_timeout of job {name!r} of {plan.owner}")
        cron_name = naming.derive(plan.name, str(name), limit=cronjob.NAME_LIMIT)
        declared = declare(
            "job", app, name, command=command, args=args, memory=memory, disk=disk, cpu=cpu, timeout=timeout,
            retries=retries, env=env, env_from=env_from, labels={marks.SCHEDULE: name}, write=_template_data,
            job=JobSettings(cron_name, policy, catch_up, patience), notify=notify, opts=opts,
        )  # fmt: skip
        space.bounds.check(f"the pod that starts {declared.owner}", cronjob.AMOUNTS)
        starting = _check(declared.owner, schedule, time_zone, starting_deadline)
        check_schedule(plan.name, name, schedule or "", time_zone, suspend)
        deadline = cronjob.deadline(quantities.seconds(declared.timeout, f"{declared.owner}: timeout"), patience)
        props = {
            "app": plan.name,
            "task": name,
            "schedule": schedule,
            "time_zone": time_zone,
            **declared.props(command, args),
            **registered(
                start_timeout=unless(quantities.duration(f"{patience}s", declared.owner), "10m0s"),
                concurrency_policy=unless(policy, slot.ALLOW),
                suspend=unless(suspend, False),
                starting_deadline=None if starting is None else quantities.duration(f"{starting}s", declared.owner),
                catch_up=unless(catch_up, False),
            ),
        }
        super().__init__("kf:index:TaskSchedule", declared.full_name, props, inheriting(opts))
        if schedule is not None and not suspend:
            plan.roll.schedules.append({"task": name, "schedule": schedule, "time_zone": time_zone})
        template = TaskTemplate(self, declared)
        code = pod_code.config_map_of(space)
        account = _account(declared.full_name, declared.template_name, plan, cron_name, template.child)
        own_labels = {**labels(plan.name), TASK: name, marks.SCHEDULE: name}
        pod_of = functools.partial(
            cronjob.pod,
            task=name,
            image=space.submitter_image,
            account=declared.template_name,
            template=declared.template_name,
            code=pod_code.config_map_name(space),
            files=pod_code.files(),
            notify=template.notified.secret,
        )
        made = kubernetes.batch.v1.CronJob(
            declared.full_name,
            metadata={
                "name": cron_name,
                "namespace": space.namespace,
                "labels": own_labels,
                # `kf schedule-job` and `kf delete-job-schedule` change it in the cluster; an update takes it back.
                "annotations": {marks.POLICY: policy, "pulumi.com/patchForce": "true"},
            },
            spec=plan.pod.apply(
                lambda found: cronjob.spec(
                    schedule=schedule,
                    time_zone=time_zone,
                    suspend=suspend,
                    starting_deadline=starting,
                    deadline=deadline,
                    pod=pod_of(settings={"node_selector": found.settings.node_selector, "template": found.template}),
                )
            ),
            opts=pulumi.ResourceOptions.merge(
                template.child,
                pulumi.ResourceOptions(depends_on=[*template.before(declared, opts), code, *account]),
            ),
        )
        Calendar(
            declared.full_name,
            {
                "__preview": pulumi.runtime.is_dry_run(),
                **approved(),
                "connection": space.connection,
                "stack": stack_id(),
                "namespace": space.namespace,
                "app": plan.name,
                "task": name,
                "cron_job": cron_name,
                # Another one says that the spec was changed, by whomever.
                "generation": made.id.apply(lambda _: made.metadata.apply(lambda metadata: metadata.generation or 0)),
                "schedule": schedule or "",
                "time_zone": time_zone,
                "suspend": suspend,
                "keep": plan.policy.keep,
                "manifest": template.manifest,
                "layers": template.layers,
                "urn": urn_of(self),
                **({"__digests": digests(template.secrets)} if template.secrets else {}),
            },
            pulumi.ResourceOptions(parent=self, depends_on=[made, *template.before(declared, opts)]),
        )
        self.cron_job = made.metadata["name"]
        self.register_outputs({"cron_job": self.cron_job})


def _account(
    full_name: str, name: str, plan: AppPlan, cron_name: str, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    metadata = {"name": name, "namespace": plan.space.namespace, "labels": labels(plan.name)}
    account = kubernetes.core.v1.ServiceAccount(
        full_name,
        metadata=metadata,
        automount_service_account_token=False,
        image_pull_secrets=plan.pod.apply(lambda found: found.pull_secrets),
        opts=opts,
    )
    role = kubernetes.rbac.v1.Role(full_name, metadata=metadata, rules=cronjob.rules(plan.name, cron_name), opts=opts)
    binding = kubernetes.rbac.v1.RoleBinding(
        full_name,
        metadata=metadata,
        role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        subjects=[{"kind": "ServiceAccount", "name": name, "namespace": plan.space.namespace}],
        opts=opts,
    )
    return [account, role, binding]


def _template_data(manifest: Object, settings: TemplateSettings) -> dict[str, str]:
    """As for a Task, but in the YAML that is JSON too: the submitter has no other parser."""
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    yaml = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return written(yaml + "\n", settings)


def _check(owner: str, schedule: str | None, time_zone: str, deadline: Span | None) -> int | None:
    place = cron.zone(time_zone, f"time_zone of {owner}")
    if schedule is not None:
        parsed = cron.parse(schedule, f"schedule of {owner}")
        if cron.following(parsed, place, int(time.time())) is None:
            raise InvalidInput(
                f"schedule of {owner}: {schedule!r} never comes: correct it, or leave schedule out for a job that "
                "only `kf run-job` starts"
            )
    if deadline is None:
        return None
    seconds = quantities.seconds(deadline, f"{owner}: starting_deadline")
    if seconds < SHORTEST_DEADLINE:
        raise InvalidInput(
            f"{owner}: starting_deadline={deadline!r} is too short: Kubernetes looks every {SHORTEST_DEADLINE} "
            "seconds, so give it at least '10s', or leave it out for none"
        )
    return seconds
