"""The commands under one roof: every error is one line on stderr that says what and what next, never a traceback.

Nothing here imports the Kubernetes client: a command does when it runs, so that `kf --help` is quick.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from typing import Any

import click

from ..core.errors import InvalidInput
from ..errors import Denied, Trouble, Unreachable
from .commands.check import check
from .commands.env import env
from .commands.jobs import (
    delete_job,
    delete_job_schedule,
    job_history,
    job_schedules,
    jobs,
    schedule_job,
    schedule_task,
)
from .commands.logs import logs
from .commands.pin import pin, unpin
from .commands.prune import prune
from .commands.run_job import run_job
from .commands.run_task import run_task
from .commands.task import task
from .commands.tasks import tasks
from .commands.terminate_task import terminate_task
from .target import target_options

INTERRUPTED = 130


class Commands(click.Group):
    """A group that ends with Kf's exit codes: 1 for errors, 2 for wrong usage, 130 for Ctrl-C."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Runs a command and ends the process."""
        _calm()
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "kf"
            code = _fail(f"{error.format_message()} ({path} --help says how)", error.exit_code)
        except click.ClickException as error:
            code = _fail(error.format_message(), error.exit_code)
        except click.Abort:
            code = INTERRUPTED
        except BrokenPipeError:  # whoever reads has had enough, such as `head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command; what cluster and input did wrong becomes one line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except (Trouble, InvalidInput) as error:
            raise click.ClickException(f"{error}{_advice(error)}") from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@target_options
def kf() -> None:
    """Runs, lists, ends and reads the tasks of Apps that Pulumi has declared."""


for command in (
    check, delete_job, delete_job_schedule, env, job_history, job_schedules, jobs, logs, pin, prune, run_job, run_task,
    schedule_job, schedule_task, task, tasks, terminate_task, unpin,
):  # fmt: skip
    kf.add_command(command)


def start() -> None:
    """The script `kf`."""
    try:
        kf(prog_name="kf")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _advice(error: Exception) -> str:
    if isinstance(error, Unreachable):
        return "; choose a cluster that runs with KUBECONFIG, --kubeconfig or --context"
    return "; log in again, or ask for the permission" if isinstance(error, Denied) else ""


def _fail(text: str, code: int) -> int:
    click.echo(f"kf: {' '.join(text.split())}", err=True)
    return code


def _calm() -> None:
    """Keeps the client's own warnings (retries, certificates) and foreign encodings off the terminal."""
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
