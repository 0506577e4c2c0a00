"""`kf doctor`: what stands in the way, of the cluster, of the rights in it and of the project here, and what to do.

It changes nothing: a run is only handed to admission, as a preview does it.
"""

from __future__ import annotations

import click

from ...errors import ClusterError
from .. import checkup, output
from ..table import echo, show
from ..target import Target, target_options

COLUMNS = ("State", "About", "Found", "WhatToDo")


@click.command()
@output.option()
@target_options
@click.pass_context
def doctor(context: click.Context, form: str | None) -> None:
    """Checks the cluster, the rights in it and the project of this folder, and says what to do.

    Ends with 1 if something keeps tasks from running.
    """
    target: Target = context.obj
    found = [*checkup.of_project(), *_of_cluster(target)]
    if not output.printed(form, found):
        show([COLUMNS, *((each.state, each.about, each.found, each.advice) for each in found)])
        broken = sum(each.state == checkup.ERROR for each in found)
        echo(
            f"\n{broken} of {len(found)} keep tasks from running." if broken else "\nNothing keeps tasks from running."
        )
    context.exit(int(any(each.state == checkup.ERROR for each in found)))


def _of_cluster(target: Target) -> list[checkup.FindingView]:
    try:
        space = target.open()
    except ClusterError as error:
        return [
            checkup.wrong("cluster", str(error), "choose one with --kubeconfig, --context or KUBECONFIG, and --space")
        ]
    return checkup.of_cluster(space)
