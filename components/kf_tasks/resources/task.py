"""A Task: a command that runs once in the environment of its App, and again when its definition changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pulumi

from ..core import naming, quantities
from ..core.errors import InvalidInput
from ..core.log.shown import NONE
from ..run import Run
from .app import App
from .approval import approved
from .arguments import of_component
from .declaration import registered, unless
from .digests import digests
from .environment import Env, EnvFrom
from .inheritance import inheriting, protects_itself
from .inputs import Args, Command, Cores, Size, Span, plain, urn_of
from .notify import Notify
from .task_template import TaskTemplate, declare
from .template import kept, stack_id

When = Literal["change", "trigger", "always"]
LogMode = Literal["follow", "tail", "none"]


class Task(pulumi.ComponentResource):
    """Runs during `pulumi up`, in the App's environment, as one pod with one container.

    - `app`: whose image, variables, resources and start command it inherits; its own values win.
    - `command`, `args`: as on App. `env`, `env_from`: own variables. `memory`, `disk`, `cpu`: own amounts,
      request and limit alike, so a task may exceed its App.
    - `timeout` (the Space's, "1h"; "0" for none), `start_timeout` ("10m": for a pod that waits for a
      node), `retries` (0: Tekton starts the command again in a new pod).
    - `when`: "change" (the default: another image, command, own variable or trigger is a new run),
      "trigger" (only `triggers` decide; without any it runs once) or "always" (every update).
      A run that failed is tried again by the next update in all three.
    - `wait` (True): follow the run; False submits it and goes on. `must_succeed` (True): a failure
      fails the update, so that what depends on the task is not touched.
    - `terminated` (False): True cancels a run that is under way and holds a new one back; a finished one is left alone.
    - `at_most_once` (False): a pod that is replaced while the command runs cancels and fails the run, before the
      command begins again. Without it the command is started at least once, as Tekton and Kubernetes do it.
    - `results`: names that the command writes to files in `$KF_RESULTS`; Outputs afterwards.
    - `notify`: who is told how it ends (default: whom the App names; [] for nobody).
    - `log`: "follow" (the default), "tail" (only the last lines) or "none" (only the outcome; log and
      results are secret outputs).

    Outputs are those of the last run that the state holds. Raises pulumi.RunError for bad input.
    """

    run: pulumi.Output[str]
    task_id: pulumi.Output[int]
    state: pulumi.Output[str]
    reason: pulumi.Output[str]
    exit_code: pulumi.Output[int | None]
    started_at: pulumi.Output[str]
    finished_at: pulumi.Output[str | None]
    duration: pulumi.Output[float | None]
    log: pulumi.Output[str]
    log_digest: pulumi.Output[str]
    results: pulumi.Output[dict[str, str]]

    @of_component("task")
    def __init__(
        self,
        name: str,
        *,
        app: App,
        command: Command | None = None,
        args: Args | None = None,
        env: Env | None = None,
        env_from: EnvFrom = (),
        memory: Size | None = None,
        disk: Size | None = None,
        cpu: Cores | None = None,
        timeout: Span | None = None,
        start_timeout: Span = "10m",
        retries: int = 0,
        when: When = "change",
        triggers: pulumi.Input[Any] | None = None,
        wait: bool = True,
        must_succeed: bool = True,
        terminated: bool = False,
        at_most_once: bool = False,
        results: Sequence[str] = (),
        log: LogMode = "follow",
        notify: Notify | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        declared = declare(
            "task", app, name, command=command, args=args, memory=memory, disk=disk, cpu=cpu, timeout=timeout,
            retries=retries, env=env, env_from=env_from, results=results, notify=notify, opts=opts,
        )  # fmt: skip
        owner, plan, space = declared.owner, declared.app, declared.app.space
        _check(owner, results, opts)
        patience = quantities.seconds(start_timeout, f"{owner}: start_timeout")
        trigger = plain(triggers if triggers is not None else [], f"triggers of {owner}")
        full_name = declared.full_name
        props = {
            "app": plan.name,
            "task": name,
            "when": when,
            **declared.props(command, args),
            **registered(
                start_timeout=unless(quantities.duration(start_timeout, owner), "10m0s"),
                triggers=triggers,
                wait=unless(wait, True),
                must_succeed=unless(must_succeed, True),
                terminated=unless(terminated, False),
                at_most_once=unless(at_most_once, False),
                result_names=results,
                log_mode=unless(log, "follow"),
            ),
        }
        super().__init__("kf:index:Task", full_name, props, inheriting(opts))
        template = TaskTemplate(self, declared)
        record = Run(
            full_name,
            {
                "__preview": pulumi.runtime.is_dry_run(),
                **approved(),
                "connection": space.connection,
                "stack": stack_id(),
                "namespace": space.namespace,
                "app": plan.name,
                "task": name,
                "counter": f"kf-{plan.name}",
                "definition": {
                    "image": plan.image,
                    "argv": template.argv,
                    **template.definition,
                    "triggers": trigger,
                },
                "manifest": template.manifest,
                "layers": template.layers,
                "when": when,
                "wait": wait,
                "must_succeed": must_succeed,
                **kept(plan.policy, space.log_archive),
                "start_timeout": patience,
                "log_mode": log,
                "terminated": terminated,
                "at_most_once": at_most_once,
                "urn": urn_of(self),
                **({"__digests": digests(template.secrets)} if template.secrets else {}),
                **({"late": True} if plan.roll.closed else {}),
            },
            pulumi.ResourceOptions(
                parent=self,
                depends_on=template.before(declared, opts),
                retain_on_delete=True,
                additional_secret_outputs=["log", "results"] if log == NONE else None,
            ),
        )
        plan.roll.runs[name] = record
        outputs = ("run", "task_id", "state", "reason", "exit_code", "started_at", "finished_at", "duration",
                   "log", "log_digest", "results")  # fmt: skip
        for output in outputs:
            setattr(self, output, getattr(record, output))
        self.register_outputs({output: getattr(self, output) for output in outputs})


def _check(owner: str, results: Sequence[str], opts: pulumi.ResourceOptions | None) -> None:
    for result in results:
        naming.check_name(f"{owner}: result", result)
    if protects_itself(opts):
        raise InvalidInput(
            f"{owner}: protect=True would keep the record and none of the runs, which are the App's: "
            "set it on the App or the Space instead"
        )
