"""`kf task RUN`: everything about one run in one place, so that nobody needs to know which object tells what."""

from __future__ import annotations

import click

from .details import details, rows
from .output import print_data
from .table import show
from .target import Target, check_id, target_options


@click.command()
@click.argument("name", metavar="RUN | APP ID")
@click.argument("task_id", metavar="", required=False)
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), help="For programs, in place of a table.")
@target_options
@click.pass_obj
def task(target: Target, name: str, task_id: str | None, output: str | None) -> None:
    """Shows everything about one task: by its name, or by its App and its ID."""
    check_id(name, task_id)
    space = target.open()
    run = space.one(name, task_id)
    now = space.cluster.now
    pods = space.cluster.pods(space.name, run["metadata"]["name"])
    found = details(run, space.cluster.task_run(space.name, run), pods)
    if output:
        print_data(found, output)
    else:
        show(rows(found, now), headed=False)
