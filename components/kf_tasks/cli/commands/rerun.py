"""`kf rerun`: the same work once more, as that run did it, whatever the program says by now."""

from __future__ import annotations

import click

from ...core import marks
from ...core.run import pipelinerun
from .. import names, output
from ..target import Target, target_options
from ..template import template
from .run_task import check_form, launch, wait_option


@click.command()
@click.argument("name", type=names.run_or_app, metavar="RUN | APP ID")
@click.argument("task_id", type=names.task_id, metavar="", required=False)
@wait_option
@output.option()
@target_options
@click.pass_context
def rerun(context: click.Context, name: str, task_id: int | None, wait: bool, form: str | None) -> None:
    """Runs once more what a task ran: by its name, or by its App and its ID.

    The same command, image, variables, amounts and timeout, under a new ID; of Secrets what is in them by now. What the
    App keeps, and its log archive, are those of now.
    """
    target: Target = context.obj
    check_form(wait, form)
    space = target.open()
    run = space.one(name, task_id)
    labels = run["metadata"]["labels"]
    app = labels[marks.NAME]
    _, settings = template(space, app)
    launch(context, space, app, labels.get(marks.TASK, app), pipelinerun.again(run), settings, wait, form=form)
