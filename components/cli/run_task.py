"""`kf run-task`: one more run of an App's own template, with another command, name or amounts.

It submits and does not wait, as Kf does; then it prunes, so that an App keeps no more than its
`keep` however often this is called without Pulumi.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

import click

from ..core import naming, pipelinerun, quantities
from ..core.command import resolve
from ..core.errors import InvalidInput
from ..errors import ClusterError
from .target import Target, TargetSpace, target_options, user


@click.command("run-task")
@click.argument("app")
@click.option("-c", "--command", help="Command to run in place of the App's start command.")
@click.option("--name", help="Display name of the task.  [default: the App's name]")
@click.option("--cpu-cores", metavar="CORES", help="Cores or thousandths, such as 0.5 or 100m.")
@click.option("-m", "--memory-limit", metavar="SIZE", help="Memory, such as 256M or 1G.")
@click.option("-k", "--disk-quota", metavar="SIZE", help="Disk, such as 256M or 1G.")
@target_options
@click.pass_obj
def run_task(
    target: Target,
    app: str,
    command: str | None,
    name: str | None,
    cpu_cores: str | None,
    memory_limit: str | None,
    disk_quota: str | None,
) -> None:
    """Runs a task on APP, once, in the background."""
    amounts: dict[str, str] = {}
    if cpu_cores is not None:
        amounts["cpu"] = quantities.cpu(cpu_cores, f"app {app!r}: --cpu-cores")
    if memory_limit is not None:
        amounts["memory"] = quantities.size(memory_limit, f"app {app!r}: --memory-limit")
    if disk_quota is not None:
        amounts["ephemeral-storage"] = quantities.size(disk_quota, f"app {app!r}: --disk-quota")
    task = naming.check_name("task", name) if name is not None else None
    space = target.open()
    template, settings = _template(space, app)
    manifest = pipelinerun.override(
        template,
        task=task,
        argv=start_command(app, template, settings, command),
        resources=amounts,
    )
    run = _submit(space, app, task or app, manifest, settings)
    click.echo(f"Task {run} is submitted successfully for execution.\n")
    click.echo(f"Its log:    kf logs {app} --task --run {run}{space.flags}")
    click.echo(f"All tasks:  kf tasks {app}{space.flags}")
    click.echo(f"To end it:  kf terminate-task {run}{space.flags}")
    _prune(space, app, settings)


def start_command(
    app: str, template: dict[str, Any], settings: dict[str, Any], command: str | None
) -> list[str] | None:
    """The argv of `command`, None where the template's own stays; raises InvalidInput if there is neither."""
    if command is not None:
        return resolve(f"app {app!r}: --command", settings.get("entrypoint"), command, None, None, None)
    if not pipelinerun.step_of(template).get("command"):
        raise InvalidInput(
            f"Start command not found on App or Task (app {app!r}): give --command, or command=… to the App in Pulumi"
        )
    return None


def _template(space: TargetSpace, app: str) -> tuple[dict[str, Any], dict[str, Any]]:
    import yaml

    found = space.cluster.get(space.name, "configmaps", f"kf-{app}")
    if not found or pipelinerun.TEMPLATE not in (found["metadata"].get("labels") or {}):
        raise space.unknown_app(app)
    data = found.get("data") or {}
    try:
        return yaml.safe_load(data["pipelinerun.yaml"]), json.loads(data["settings.json"])
    except (KeyError, ValueError, yaml.YAMLError):
        raise ClusterError(
            f"app {app!r}: ConfigMap {space.name}/kf-{app} is not what Pulumi wrote: repeat pulumi up with --refresh"
        ) from None


def _submit(space: TargetSpace, app: str, task: str, manifest: dict[str, Any], settings: dict[str, Any]) -> str:
    from ..submission import Submission, submit

    wanted = Submission(
        template=manifest,
        app=app,
        task=task,
        key=secrets.token_hex(8),  # every call is a run of its own, never one to adopt
        stack=str(settings.get("stack", "")),
        counter=f"kf-{app}",
        started_by=f"kf run-task by {user()}",
    )
    run, _ = submit(space.cluster, wanted, None)
    return str(run["metadata"]["name"])


def _prune(space: TargetSpace, app: str, settings: dict[str, Any]) -> None:
    from ..submission import prune

    try:
        prune(space.cluster, space.name, app, int(settings["keep"]))
    except ClusterError as error:  # the task runs; the next one prunes
        click.echo(f"kf: older tasks of app {app!r} were not deleted: {error}", err=True)
