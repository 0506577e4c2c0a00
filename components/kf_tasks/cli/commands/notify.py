"""`kf notify`: who is told how the tasks of an App end, and whether they can be told; no address is ever shown."""

from __future__ import annotations

from dataclasses import dataclass

import click

from ...core.errors import InvalidInput
from ...core.notify.endpoint import WEBHOOK, Endpoint
from ...core.notify.event import Event
from ...errors import NotFound, Trouble
from .. import names, output
from ..table import echo, show
from ..target import Target, TargetSpace, target_options
from ..template import template
from ..views import View

COLUMNS = ("Kind", "Format", "Told of")
ALWAYS = ("started", "succeeded", "failed")  # what a heartbeat is told of


@dataclass(frozen=True, kw_only=True)
class EndpointView(View):
    """Who is told, and of what: `kf notify`. `format` is null for a heartbeat."""

    kind: str
    format: str | None
    on: list[str]


@click.command()
@click.argument("app", type=names.app)
@click.option("--task", type=names.task, metavar="NAME", help="One of the App's tasks or jobs.")
@click.option("--test", is_flag=True, help="Send each of them a test; a heartbeat takes it for a success.")
@output.option()
@target_options
@click.pass_obj
def notify(target: Target, app: str, task: str | None, test: bool, form: str | None) -> None:
    """Shows who is told how the tasks of APP end, or tells them a test.

    With --test it ends with 1 if one of them could not be told.
    """
    if test and form:
        raise click.UsageError("--test says what it does: leave --output out")
    space = target.open()
    endpoints = _endpoints(space, app, task)
    if test:
        _test(endpoints, Event.test(space.name, app, task or ""))
        return
    views = [EndpointView(kind=one.kind, format=one.format or None, on=list(_events(one))) for one in endpoints]
    if not output.printed(form, views, [view.kind for view in views]):
        show([COLUMNS, *((view.kind, view.format or "-", ", ".join(view.on)) for view in views)])


def _endpoints(space: TargetSpace, app: str, task: str | None) -> list[Endpoint]:
    from ...runs.notifying import endpoints_of, secret_of

    what = f"task {task!r} of app {app!r}" if task else f"app {app!r}"
    secret = secret_of(template(space, app, task)[0])
    if not secret:
        raise InvalidInput(f"{what} tells nobody how its tasks end: name somebody with notify=[…] in Pulumi")
    try:
        found = endpoints_of(space.cluster.get, space.name, secret)
    except Trouble as error:
        told = type(error)(f"{what}: Secret {space.name}/{secret}, which says who is told: {error}")
        raise told from None
    if found is None:
        raise NotFound(f"{what}: Secret {space.name}/{secret}, which says who is told, is gone: repeat pulumi up")
    return found


def _test(endpoints: list[Endpoint], event: Event) -> None:
    from ...notify.sending import send

    troubles = send(endpoints, event)
    for one, trouble in zip(endpoints, troubles):
        if not trouble:
            echo(f"{one}: told")
    for trouble in filter(None, troubles):
        echo(f"kf: not told: {trouble}", err=True)
    if any(troubles):
        raise click.exceptions.Exit(1)


def _events(one: Endpoint) -> tuple[str, ...]:
    return one.on if one.kind == WEBHOOK else ALWAYS
