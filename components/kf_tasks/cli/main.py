"""The commands under one roof: every error is one line on stderr that says what and what next, never a traceback.

A command is imported when it is called, and the Kubernetes client when it runs, so that `kf` starts quickly.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from .. import __version__
from ..core.errors import InvalidInput
from ..errors import Denied, Trouble, Unreachable
from .answers import ANSWERS, SHORT, answer, unknown
from .table import echo
from .target import target_options

INTERRUPTED = 130
_COMPLETE = "_KF_COMPLETE"  # set by the script of `kf completion`
# The module of each command, and what `kf --help` says of it: the first sentence of its own help; hidden without one.
COMMANDS = {
    "apps": ("apps", "Lists the Apps of the Space, with the counts of their tasks."),
    "check": (
        "check",
        "Says everything that is wrong with MANIFEST, and what Kf and Cloud Foundry do otherwise with it.",
    ),
    "completion": ("completion", "Prints the completion of kf for a shell."),
    "delete-job": ("jobs", "Refused: a job is declared in the program."),
    "delete-job-schedule": ("jobs", "Suspends JOB: what runs goes on, nothing new starts."),
    "doctor": (
        "doctor",
        "Checks the cluster, the rights in it, and the project of this folder with its stack, and says what to do.",
    ),
    "download": (
        "download",
        "Writes the log and the record of a task into a folder: by its name, or by its App and its ID.",
    ),
    "env": ("env", "Shows the variables and binding files that the tasks of APP get."),
    "help": ("help", "Says how COMMAND is called and what it does, or what commands there are."),
    "job-history": ("jobs", "Lists the tasks that JOB has run, by its schedule and by hand."),
    "job-schedules": ("jobs", "Lists the jobs that a schedule starts."),
    "jobs": ("jobs", "Lists the jobs of the Space."),
    "logs": (
        "logs",
        "Prints the logs of the tasks of APP, oldest first, each line marked TASK/ID, and follows those that run.",
    ),
    "notify": ("notify", "Shows who is told how the tasks of APP end, or tells them a test."),
    "pin": ("pin", "Keeps a task, with pod and log, until it is unpinned: by its name, or by its App and its ID."),
    "prune": ("prune", "Deletes the oldest tasks of APP, with pods and logs, beyond those it keeps."),
    "review": (
        "review",
        "Shows what `pulumi up` would do: tasks that run and why, runs that are deleted, schedules, and all the rest.",
    ),
    "rerun": ("rerun", "Runs once more what a task ran: by its name, or by its App and its ID."),
    "run-job": ("run_job", "Runs JOB once, in the background."),
    "run-task": ("run_task", "Runs a task on APP, once, in the background."),
    "schedule-job": ("jobs", "Lets SCHEDULE start JOB, such as '0 3 * * *' in the job's time zone."),
    "schedule-task": ("jobs", ""),
    "stats": (
        "stats",
        "Shows for each task of APP, or of the Space, how often it ran, how long it takes, and how it ended.",
    ),
    "target": ("target", "Shows the Space and the cluster that kf talks to."),
    "task": ("task", "Shows everything about one task: by its name, or by its App and its ID."),
    "tasks": ("tasks", "Lists the tasks of APP, or of the whole Space."),
    "terminate-task": ("terminate_task", "Ends a task that runs: by its name, or by its App and its ID."),
    "top": ("top", "Shows what runs now of APP, or of the Space, and the memory and CPU that it uses."),
    "unpin": ("pin", "Lets a task go with the others again, once it is too old."),
    "version": ("version", "Says which version of kf this is."),
}
_FUNCTIONS = {"help": "help_"}  # where the name is one of Python's


class Commands(click.Group):
    """A group that ends with Kf's exit codes: 1 for errors, 2 for wrong usage, 130 for Ctrl-C."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Runs a command and ends the process."""
        _calm()
        if _COMPLETE in os.environ:
            self.params = _equipped(self).params
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

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant."""
        name = SHORT.get(args[0], args[0])
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise unknown(name, COMMANDS, ctx)
        return super().resolve_command(ctx, [name, *args[1:]])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now."""
        if cmd_name in ANSWERS:
            return answer(cmd_name)
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".commands.{COMMANDS[cmd_name][0]}", __package__)
        command: click.Command = getattr(module, _FUNCTIONS.get(cmd_name, cmd_name.replace("-", "_")))
        return _equipped(command) if _COMPLETE in os.environ else command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands of `kf --help`, and imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items() if said])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What may stand after `kf`; imports no command either."""
        found = [CompletionItem(name, help=said) for name, (_, said) in COMMANDS.items() if said]
        return [item for item in found if item.value.startswith(incomplete)] + super(click.Group, self).shell_complete(
            ctx, incomplete
        )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@target_options
def kf() -> None:
    """Runs, lists, ends and reads the tasks of Apps that Pulumi has declared."""


def start() -> None:
    """The script `kf`."""
    try:
        kf(prog_name="kf")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _equipped(command: click.Command) -> click.Command:
    """The command as a shell asks for completions of it."""
    from .offers import equip

    return equip(command)


def _advice(error: Exception) -> str:
    if isinstance(error, Unreachable):
        return "; choose a cluster that runs with KUBECONFIG, --kubeconfig or --context"
    return "; log in again, or ask for the permission" if isinstance(error, Denied) else ""


def _fail(text: str, code: int) -> int:
    echo(f"kf: {' '.join(text.split())}", err=True)
    return code


def _calm() -> None:
    """Keeps the client's own warnings (retries, certificates) and foreign encodings off the terminal."""
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
