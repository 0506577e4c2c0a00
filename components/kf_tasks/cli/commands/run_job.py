"""`kf run-job`: one more run of a job, now, whatever its schedule is."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import click

from ...core.run import pipelinerun
from ...core.run.command import resolve
from ...core.schedule import slot
from .. import names, output
from ..target import Target, target_options
from ..template import template
from .jobs import find
from .run_task import (
    amounts,
    check_command,
    check_form,
    check_free,
    from_secret_option,
    launch,
    own_variables,
    wait_option,
)


@click.command("run-job")
@click.argument("job", type=names.job, metavar="[APP/]JOB")
@click.option("-c", "--command", help="Command to run in place of the job's own.")
@click.option("--cpu-cores", metavar="CORES", help="Cores or thousandths, such as 0.5 or 100m.")
@click.option("-m", "--memory-limit", metavar="SIZE", help="Memory, such as 256M or 1G.")
@click.option("-k", "--disk-quota", metavar="SIZE", help="Disk, such as 256M or 1G.")
@click.option(
    "--env", "variables", multiple=True, metavar="NAME=VALUE",
    help="Variable of this run alone, in plain text; may be repeated.",
)  # fmt: skip
@from_secret_option
@wait_option
@output.option()
@target_options
@click.pass_context
def run_job(
    context: click.Context,
    job: str,
    command: str | None,
    cpu_cores: str | None,
    memory_limit: str | None,
    disk_quota: str | None,
    variables: tuple[str, ...],
    from_secrets: tuple[str, ...],
    wait: bool,
    form: str | None,
) -> None:
    """Runs JOB once, in the background. A job that forbids two at once is refused while it runs."""
    target: Target = context.obj
    owner = f"job {job!r}"
    resources = amounts(owner, cpu_cores, memory_limit, disk_quota)
    given = own_variables(owner, variables, from_secrets)
    check_command(owner, command)
    check_form(wait, form)
    space = target.open()
    found = find(space, job)
    manifest, settings = template(space, found.app, found.name)
    check_free(found.app, given, settings)
    argv = None
    if command is not None:
        _, of_app = template(space, found.app)
        argv = resolve(f"job {found.name!r}: --command", of_app.entrypoint, command, None, None, None)
    changed = pipelinerun.override(manifest, argv=argv, env=given, resources=resources)
    alone: AbstractContextManager[None] = nullcontext()
    if settings.job and settings.job.concurrency == slot.FORBID:
        from ...runs.claims import claimed

        alone = claimed(space.cluster, space.name, found.app, found.name, space.flags)
    launch(context, space, found.app, found.name, changed, settings, wait, alone, form=form)
