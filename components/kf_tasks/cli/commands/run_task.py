"""`kf run-task`: one more run of an App's own template, with another command, name or amounts.

It submits and does not wait, as Kf does, unless it is told to; and it prunes, so that an App keeps no
more than its `keep` however often this is called without Pulumi.
"""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from ...core import marks, naming, quantities
from ...core.api import Object
from ...core.errors import InvalidInput
from ...core.run import environment, launcher, pipelinerun, size, sources
from ...core.run.command import resolve
from ...core.run.environment import Value
from ...core.template import TemplateSettings
from ...errors import Trouble
from .. import names, output
from ..table import echo
from ..target import Target, TargetSpace, target_options, user
from ..template import template
from ..views import View

if TYPE_CHECKING:
    from ...runs.notifying import Notifying

from_secret_option = click.option(
    "--env-from-secret", "from_secrets", multiple=True, type=names.secret_key, metavar="NAME=SECRET/KEY",
    help="Variable of this run alone, whose value is a key of an existing Secret; may be repeated.",
)  # fmt: skip
wait_option = click.option(
    "-w", "--wait", is_flag=True,
    help="Follow its log and end with its exit code: 1 if a signal or the cluster ended it.",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StartedView(View):
    """A run that was just started: `kf run-task`, `kf run-job`, `kf rerun`."""

    name: str
    app: str
    id: int
    display_name: str
    space: str
    started_by: str

    @classmethod
    def of(cls, run: Object) -> StartedView:
        """That of a PipelineRun."""
        metadata = run["metadata"]
        return cls(
            name=metadata["name"],
            app=metadata["labels"][marks.NAME],
            id=marks.number(metadata["labels"], marks.TASK_ID),
            display_name=metadata["labels"][marks.TASK],
            space=metadata["namespace"],
            started_by=metadata["annotations"][marks.STARTED_BY],
        )


@click.command("run-task")
@click.argument("app", type=names.app)
@click.option("-c", "--command", help="Command to run in place of the App's start command.")
@click.option("--name", type=names.task, metavar="NAME", help="Display name of the task.  [default: the App's name]")
@click.option("--cpu-cores", metavar="CORES", help="Cores or thousandths, such as 0.5 or 100m.")
@click.option("-m", "--memory-limit", metavar="SIZE", help="Memory, such as 256M or 1G.")
@click.option("-k", "--disk-quota", metavar="SIZE", help="Disk, such as 256M or 1G.")
@click.option(
    "--env", "variables", multiple=True, metavar="NAME=VALUE",
    help="Variable of this run alone; may be repeated. Its value is plain text that everybody can read who may see "
    "the PipelineRun: secrets belong into env=… of the App in Pulumi.",
)  # fmt: skip
@from_secret_option
@click.option("--process", type=names.process, metavar="TYPE", help="Run the start command of this process type, of an "
              "image that buildpacks made.")  # fmt: skip
@wait_option
@output.option()
@target_options
@click.pass_context
def run_task(
    context: click.Context,
    app: str,
    command: str | None,
    name: str | None,
    cpu_cores: str | None,
    memory_limit: str | None,
    disk_quota: str | None,
    variables: tuple[str, ...],
    from_secrets: tuple[str, ...],
    process: str | None,
    wait: bool,
    form: str | None,
) -> None:
    """Runs a task on APP, once, in the background.

    With --wait its log goes to stdout, and everything else to stderr. Ctrl-C ends the waiting, not the task.
    """
    target: Target = context.obj
    owner = f"app {app!r}"
    resources = amounts(owner, cpu_cores, memory_limit, disk_quota)
    given = own_variables(owner, variables, from_secrets)
    check_command(owner, command)
    check_form(wait, form)
    space = target.open()
    found, settings = template(space, app)
    check_free(app, given, settings)
    manifest = pipelinerun.override(
        found,
        task=name,
        argv=start_command(app, found, settings, command, process),
        env=given,
        resources=resources,
    )
    launch(context, space, app, name or app, manifest, settings, wait, form=form)


def launch(
    context: click.Context,
    space: TargetSpace,
    app: str,
    task: str,
    manifest: Object,
    settings: TemplateSettings,
    wait: bool,
    alone: AbstractContextManager[None] | None = None,
    *,
    form: str | None = None,
) -> None:
    """Starts a run of a template, prunes, and with `wait` ends with the run's exit code; `form` is that of `-o`.

    `alone` holds back, while the run is started, what must not be started beside it.
    """
    from ...runs.notifying import Notifying
    from ..log_form import warn

    size.check_run(f"app {app!r}", manifest)
    with alone or nullcontext():
        notifying = Notifying(space.cluster, space.name, warn)
        tells = notifying.tells_start(manifest)
        run = _submit(space, app, task, manifest, settings, f"kf {context.info_name}", tells_start=tells)
    name = run["metadata"]["name"]
    notifying.begin(run)
    shown = output.printed(form, StartedView.of(run), [name])
    if not shown:
        echo(f"Task {name} is submitted successfully for execution.\n", err=wait)
    if not wait and not shown:
        number = run["metadata"]["labels"][marks.TASK_ID]
        echo(f"Its ID:     {number}")
        echo(f"Its log:    kf logs {app} --id {number}{space.flags}")
        echo(f"All tasks:  kf tasks {app}{space.flags}")
        echo(f"To end it:  kf terminate-task {app} {number}{space.flags}")
    _prune(space, app, settings, notifying)
    if wait:
        from ..waiting import wait_for

        context.exit(wait_for(space, run, settings.log_archive, notifying))
    notifying.wait()


def amounts(owner: str, cpu: str | None, memory: str | None, disk: str | None) -> dict[str, str]:
    """The amounts that were given, canonical, by the names that Kubernetes has for them."""
    found: dict[str, str] = {}
    if cpu is not None:
        found["cpu"] = quantities.cpu(cpu, f"{owner}: --cpu-cores")
    if memory is not None:
        found["memory"] = quantities.size(memory, f"{owner}: --memory-limit")
    if disk is not None:
        found["ephemeral-storage"] = quantities.disk(disk, f"{owner}: --disk-quota")
    return found


def own_variables(owner: str, given: tuple[str, ...], from_secrets: tuple[str, ...] = ()) -> dict[str, Value]:
    """The variables of --env and --env-from-secret; raises InvalidInput for what no process can be given.

    Of one name the last one, and that of a Secret. `owner` is how errors name whose task it is.
    """
    of_env, of_secret, found = f"{owner}: --env", f"{owner}: --env-from-secret", dict[str, Value]()
    for variable in given:
        name, equals, value = variable.partition("=")
        if not equals:
            raise click.BadParameter(f"{variable!r} has no value: write NAME=VALUE", param_hint="--env")
        environment.check_reserved(of_env, naming.check_env_name(of_env, name))
        environment.check_value(of_env, name, value)
        found[name] = Value(value)
    for variable in from_secrets:
        name, _, reference = variable.partition("=")
        secret, slash, key = reference.partition("/")
        if not slash:
            raise click.BadParameter(
                f"{variable!r} names no key of a Secret: write NAME=SECRET/KEY", param_hint="--env-from-secret"
            )
        environment.check_reserved(of_secret, naming.check_env_name(of_secret, name))
        sources.check_object(of_secret, sources.SECRET, secret)
        found[name] = Value(secret=secret, key=sources.check_key(of_secret, sources.SECRET, key), existing=True)
    return found


def check_form(wait: bool, form: str | None) -> None:
    """Refuses two answers at once."""
    if wait and form:
        raise click.UsageError("--wait prints its log: leave --output out")


def check_command(owner: str, command: str | None) -> None:
    """Refuses a --command that is empty, as an unset variable makes it."""
    if command is not None:
        resolve(f"{owner}: --command", None, command, None, None, None)


def check_free(app: str, given: dict[str, Value], settings: TemplateSettings) -> None:
    """Refuses variables that the platform or a binding decides: they stand above all others in every run."""
    for name in given:
        layer = ((settings.layers or {}).get(name) or [""])[0]
        if layer in (environment.BINDINGS, environment.SYSTEM) and name not in environment.YIELDING:
            raise InvalidInput(
                f"app {app!r}: --env: {name} is set by the platform and cannot be overridden: choose another name"
            )


def start_command(
    app: str, template: Object, settings: TemplateSettings, command: str | None, process: str | None = None
) -> list[str] | None:
    """The argv of `command` or of a `process`, None where the template's own stays.

    Raises InvalidInput if there is none. As in Cloud Foundry, a command is preferred to that of the process.
    """
    if process and settings.entrypoint != launcher.LAUNCHER and process != "web":
        raise InvalidInput(
            f"app {app!r}: --process {process}: only what buildpacks made has processes: give its command with -c, or "
            "declare an App of its own with that command in Pulumi"
        )
    if process and command is None and settings.entrypoint == launcher.LAUNCHER:
        return [f"{launcher.PROCESS}/{process}"]
    if command is not None:
        return resolve(f"app {app!r}: --command", settings.entrypoint, command, None, None, None)
    if not pipelinerun.step_of(template).get("command"):
        raise InvalidInput(
            f"Start command not found on App or Task (app {app!r}): give --command, or command=… to the App in Pulumi"
        )
    return None


def _submit(
    space: TargetSpace, app: str, task: str, manifest: Object, settings: TemplateSettings, by: str, *, tells_start: bool
) -> Object:
    from ...runs.submission import Submission, submit

    wanted = Submission(
        template=manifest,
        app=app,
        task=task,
        key=secrets.token_hex(8),  # every call is a run of its own, never one to adopt
        stacks=(naming.label_value(settings.stack),),
        counter=f"kf-{app}",
        started_by=f"{by} by {user()}",
        tells_start=tells_start,
    )
    run, _ = submit(space.cluster, wanted, None)
    return run


def _prune(space: TargetSpace, app: str, settings: TemplateSettings, notifying: Notifying) -> None:
    from ...runs.archiving import Archiving
    from ...runs.pruning import prune
    from ..log_form import warn

    archiving = Archiving.of(space.cluster, space.name, settings.log_archive, warn)
    policy = replace(settings.policy, archived_only=False)
    try:
        before = archiving.before if archiving else None
        prune(space.cluster, space.name, app, policy, before=before, notifying=notifying)
    except Trouble as error:  # the task runs; the next one prunes
        echo(f"kf: older tasks of app {app!r} were not deleted: {error}", err=True)
