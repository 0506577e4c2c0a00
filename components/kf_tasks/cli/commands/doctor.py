"""`kf doctor`: what stands in the way, of cluster, rights, registry, of the project here and its stack; and what to do.

It changes nothing: a run is only handed to admission, as a preview does it.
"""

from __future__ import annotations

import click

from ...core.api import Object
from ...errors import ClusterError
from .. import checkup, output, project
from ..finding import ERROR, FindingView, wrong
from ..table import echo, show
from ..target import Target, target_options

COLUMNS = ("State", "About", "Found", "WhatToDo")


@click.command()
@output.option()
@target_options
@click.pass_context
def doctor(context: click.Context, form: str | None) -> None:
    """Checks the cluster, the rights in it, and the project of this folder with its stack, and says what to do.

    Ends with 1 if something keeps tasks from running.
    """
    target: Target = context.obj
    own, state = project.of_project()
    found = [*own, *_of_cluster(target, state)]
    if not output.printed(form, found, list(dict.fromkeys(each.about for each in found))):
        show([COLUMNS, *((each.state, each.about, each.found, each.advice) for each in found)])
        broken = sum(each.state == ERROR for each in found)
        echo(
            f"\n{broken} of {len(found)} keep tasks from running." if broken else "\nNothing keeps tasks from running."
        )
    context.exit(int(any(each.state == ERROR for each in found)))


def _of_cluster(target: Target, state: Object) -> list[FindingView]:
    try:
        space = target.open()
    except ClusterError as error:
        return [wrong("cluster", str(error), "choose one with --kubeconfig, --context or KUBECONFIG, and --space")]
    return checkup.of_cluster(space, state, target.context_name())
